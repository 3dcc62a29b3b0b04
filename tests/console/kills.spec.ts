// The browser is killed in the middle of writing, over and over: `ARALAU_KILLS=200 npx playwright test kills`. Whatever the app
// was told is on the disk is there.
import { expect, test, type Page } from '@playwright/test';
import type { startDevice } from '../../client-sdk/field/src/device/index.ts';
import { Phone, ROOT, serve } from './phone.ts';
import { World } from './world.ts';

declare global {
  var device: ReturnType<typeof startDevice>;
}

const KILLS = Number(process.env['ARALAU_KILLS'] ?? 0);
/** Long enough to begin, and short enough to end anywhere. */
const LIFE_MS = [20, 400] as const;

test.skip(KILLS === 0, 'takes two seconds for each; made when asked for');

/** Writes drafts and visits without a pause, and tells of each that is on the disk. */
async function write(page: Page, life: number): Promise<void> {
  await page.evaluate((life) => {
    void (async () => {
      for (let number = 0; ; number += 1) {
        const word = `${life}.${number}`;
        const draft = await device.beginDraft({ outcome: 'contacted', note: `${word} begun` });
        console.log(`draft ${draft} ${word}`);
        await device.keepDraft(draft, { outcome: 'contacted', note: `${word} kept ${'ә'.repeat(200)}` });
        if (number % 3 === 0) continue;
        console.log(`visit ${draft} ${await device.logDraft(draft)}`);
      }
    })();
  }, life);
}

test(`nothing that the app was told is kept is lost in ${KILLS} kills`, async () => {
  test.setTimeout(KILLS * 10_000 + 60_000);
  const world = await World.begin();
  const [pages, url] = await serve(world.port);
  const phone = await Phone.at(url);
  const first = await phone.open(`${ROOT}bare.html`);
  await first.evaluate(([at, code]) => device.enroll(at, code), [
    url,
    await world.code('Нұрлан Әбенов'),
  ] as const);
  await first.evaluate(() => device.sync(0));
  /** Each by the word that its note begins with. */
  const drafts = new Map<string, string>();
  const visits = new Set<string>();
  let page = first;
  for (let kill = 1; kill <= KILLS; kill += 1) {
    page.on('console', (said) => {
      const [what, draft = '', told = ''] = said.text().split(' ');
      if (what === 'draft') drafts.set(draft, told);
      if (what !== 'visit') return;
      visits.add(told);
      drafts.delete(draft);
    });
    await write(page, kill);
    await page.waitForTimeout(LIFE_MS[0] + Math.random() * (LIFE_MS[1] - LIFE_MS[0]));
    await phone.kill();
    page = await phone.open(`${ROOT}bare.html`);
    const kept = await page.evaluate(async () => ({
      visits: (await device.visits(null, 100_000)).map(({ id, notes }) => ({
        id,
        word: notes[0]?.text.split(' ')[0],
      })),
      drafts: (await device.drafts()).map(({ id }) => id),
    }));
    expect(
      [...visits].filter((id) => !kept.visits.some((visit) => visit.id === id)),
      `visits after kill ${kill}`,
    ).toEqual([]);
    // One that was being logged is a draft or a visit, with its words, and nobody heard which.
    const words = new Set(kept.visits.map(({ word }) => word));
    for (const id of drafts.keys())
      if (!kept.drafts.includes(id) && words.has(drafts.get(id))) drafts.delete(id);
    const gone = [...drafts.keys()].filter((id) => !kept.drafts.includes(id));
    expect(gone, `drafts after kill ${kill}`).toEqual([]);
    kept.visits.forEach(({ id }) => visits.add(id));
    if (kill % 50 === 0) console.log(`${kill} kills so far, ${visits.size} visits, none lost`);
  }
  const report = await page.evaluate(() => device.sync(0));
  expect(report.unsent).toBe(0);
  console.log(`${KILLS} kills: ${visits.size} visits, ${drafts.size} drafts, none lost`);
  await phone.end();
  pages.close();
  await world.end();
});
