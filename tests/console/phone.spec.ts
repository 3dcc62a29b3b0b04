// The device in a browser: the client as WebAssembly, its store in the browser's private file system, its key in WebCrypto, against
// a real server that is stopped, and in a browser that is killed.
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { expect, test, type Page } from '@playwright/test';
import type { startDevice } from '../../client-sdk/field/src/device/index.ts';
import { Phone, ROOT, serve } from './phone.ts';
import { World } from './world.ts';

declare global {
  var device: ReturnType<typeof startDevice>;
  var contract: (script: string) => Promise<unknown>;
}

const VISITS = 20;

let world: World;
let pages: Server;
let url: string;

test.beforeAll(async () => {
  world = await World.begin();
  [pages, url] = await serve(world.port);
});

test.afterAll(async () => {
  pages.close();
  await world.end();
});

const phone = (): Promise<Phone> => Phone.at(url);
/** Without the app's screens, which sync by themselves. */
const open = (one: Phone): Promise<Page> => one.open(`${ROOT}bare.html`);

async function enroll(page: Page, name: string): Promise<void> {
  await page.evaluate(([at, code]) => device.enroll(at, code), [url, await world.code(name)] as const);
  await page.evaluate(() => device.sync(0));
}

/** Writes a visit down as a screen would, and logs it. */
function log(page: Page, note: string): Promise<string> {
  return page.evaluate(async (words) => {
    const [place] = await device.round();
    const form = {
      place: place?.id ?? null,
      visit_type: 'door_to_door',
      outcome: 'contacted',
      started_at: Date.now(),
    };
    const id = await device.beginDraft(form);
    await device.keepDraft(id, { ...form, note: words });
    return device.logDraft(id);
  }, note);
}

async function atHeadquarters(): Promise<{ id: string }[]> {
  const token = await world.token('headquarters');
  const answer = await fetch(`${world.url}/v1/visits?limit=500`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return ((await answer.json()) as { visits: { id: string }[] }).visits;
}

test('twenty visits that were logged offline in a browser that was killed reach headquarters once each', async () => {
  const aigul = await phone();
  let page = await open(aigul);
  await enroll(page, 'Айгүл Сейітова');
  expect(await page.evaluate(async () => (await device.round()).length)).toBeGreaterThan(0);
  await world.stop();
  const logged: string[] = [];
  for (let number = 0; number < VISITS / 2; number++) logged.push(await log(page, `note ${number}`));
  await page.reload();
  for (let number = VISITS / 2; number < VISITS; number++) logged.push(await log(page, `note ${number}`));
  const draft = await page.evaluate(() => device.beginDraft({ outcome: 'refused', note: 'half a sen' }));
  await expect(page.evaluate(() => device.sync(0))).rejects.toThrow('cannot be reached');
  await aigul.kill();

  page = await open(aigul);
  const kept = await page.evaluate(async () => ({
    visits: await device.visits(null, 500),
    drafts: await device.drafts(),
  }));
  expect(kept.visits.map(({ id }) => id).toSorted()).toEqual(logged.toSorted());
  expect(new Set(kept.visits.map(({ state }) => state))).toEqual(new Set(['on_this_phone']));
  expect(kept.drafts.map(({ id, form }) => [id, form?.note])).toEqual([[draft, 'half a sen']]);

  await world.start();
  const report = await page.evaluate(() => device.sync(0));
  expect([report.pushed, report.unsent]).toEqual([VISITS, 0]);
  const states = await page.evaluate(async () => (await device.visits(null, 500)).map(({ state }) => state));
  expect(new Set(states)).toEqual(new Set(['at_headquarters']));
  const { scopes } = await page.evaluate(() => device.status());
  expect(scopes[0]?.receipt).toContain('\n');
  expect((await atHeadquarters()).map(({ id }) => id).toSorted()).toEqual(logged.toSorted());
  await aigul.end();
});

test('two browsers that edit one visit offline both find both words, and one of them chooses', async () => {
  const [bolat, saule] = [await phone(), await phone()];
  const pages = [await open(bolat), await open(saule)] as const;
  await enroll(pages[0], 'Болат Нұрланов');
  await enroll(pages[1], 'Сәуле Қасымова');
  const id = await log(pages[0], 'together');
  await pages[0].evaluate(() => device.sync(0));
  await pages[1].evaluate(() => device.sync(0));
  const said = ['refused', 'no_answer'];
  for (const [number, page] of pages.entries())
    await page.evaluate(
      ([visit, text]) => device.editVisit(visit, [{ kind: 'set', field: 'outcome', text }]),
      [id, said[number] ?? ''] as const,
    );
  for (const page of [...pages, ...pages]) await page.evaluate(() => device.sync(0));
  for (const page of pages) {
    const { conflicts } = await page.evaluate((visit) => device.visit(visit), id);
    expect(conflicts.map(({ field }) => field)).toEqual(['outcome']);
    expect(conflicts[0]?.values.map(({ value }) => value).toSorted()).toEqual(said.toSorted());
  }
  await pages[1].evaluate((visit) => device.choose(visit, 'outcome', 'refused'), id);
  await expect(
    pages[1].evaluate((visit) => device.choose(visit, 'outcome', 'no_answer'), id),
  ).rejects.toThrow();
  for (const page of [pages[1], pages[0]]) await page.evaluate(() => device.sync(0));
  const settled = await pages[0].evaluate((visit) => device.visit(visit), id);
  expect([settled.outcome, settled.conflicts]).toEqual(['refused', []]);
  await Promise.all([bolat.end(), saule.end()]);
});

test('a second tab asks through the first one, and takes its place', async () => {
  const daniyar = await phone();
  const first = await open(daniyar);
  await enroll(first, 'Данияр Омаров');
  const second = await open(daniyar);
  const name = (page: Page): Promise<string | undefined> =>
    page.evaluate(async () => (await device.status()).person?.name);
  expect(await name(second)).toBe('Данияр Омаров');
  const logged = await log(second, 'through the first tab');
  await first.close();
  expect(await name(second)).toBe('Данияр Омаров');
  expect(await second.evaluate(async (id) => (await device.visit(id)).id, logged)).toBe(logged);
  await daniyar.end();
});

test('a code that is used, an unknown one and a visit without a beat are told as such', async () => {
  const madina = await phone();
  const page = await open(madina);
  const code = await world.code('Мадина Әлиева');
  const tried = (used: string): Promise<string> =>
    page.evaluate(
      ([at, one]) =>
        device.enroll(at, one).then(
          () => 'enrolled',
          (error: { code: string }) => error.code,
        ),
      [url, used] as const,
    );
  expect(
    await page.evaluate(() =>
      device
        .beginDraft({})
        .then((id) => device.logDraft(id))
        .catch((error: { code: string }) => error.code),
    ),
  ).toBe('not_enrolled');
  expect(await tried('K7WQ-2M4P-AB3C')).toBe('enrollment_code_unknown');
  expect(await tried(code)).toBe('enrolled');
  const other = await phone();
  const elsewhere = await open(other);
  const used = await elsewhere.evaluate(
    ([at, one]) =>
      device.enroll(at, one).then(
        () => 'enrolled',
        (error: { code: string }) => error.code,
      ),
    [url, code] as const,
  );
  expect(used).toBe('enrollment_code_used');
  await Promise.all([madina.end(), other.end()]);
});

test('the store in this browser keeps its contract, and the same words and the same life are the same bytes as elsewhere', async () => {
  test.setTimeout(300_000);
  const one = await phone();
  const page = await open(one);
  const vector = new URL('../../client-sdk/tests/vector.json', import.meta.url);
  const { visit, signs } = JSON.parse(readFileSync(vector, 'utf8')) as { visit: string; signs: string[] };
  // A life of the simulated world, which the client told natively: enrolled, killed, cut off, with others at its visits.
  const script = readFileSync(process.env['ARALAU_SCRIPT'] ?? '', 'utf8');
  const { scenes } = JSON.parse(script) as { scenes: unknown[] };
  expect(await page.evaluate((life) => contract(life), script)).toEqual({
    contract: 'kept',
    vector: { visit, signs },
    scenes: scenes.length,
  });
  await one.end();
});
