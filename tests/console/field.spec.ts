// The inspector's app, by its screens: against a real server that is stopped, in browsers that are killed, offline.
import { createServer, request, type Server } from 'node:http';
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { Phone, ROOT } from './phone.ts';
import { signIn, World } from './world.ts';

const VISITS = 20;
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

let world: World;

test.beforeAll(async () => {
  world = await World.begin('--name', 'Almaty');
});

test.afterAll(() => world.end());

async function enroll(page: Page, name: string): Promise<void> {
  await page.getByLabel('Or type the code').fill(await world.code(name));
  await page.getByRole('button', { name: 'Connect' }).click();
  await expect(page.getByRole('heading', { name: 'Round' })).toBeVisible();
  await expect(page.getByText(/All at headquarters/)).toBeVisible();
}

/** The app is on the phone whole: from now on it opens with no network. */
async function putAside(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    while (!navigator.serviceWorker.controller) await new Promise((resolve) => setTimeout(resolve, 50));
  });
}

/** Logs a visit at one of the places listed, as a thumb would. */
async function log(page: Page, outcome: string, note: string, place = 0): Promise<void> {
  await page
    .getByRole('button', { name: /^Log a visit:/ })
    .nth(place)
    .click();
  await page.getByText(outcome, { exact: true }).click();
  await page.getByLabel('Note').fill(note);
  await page.getByRole('button', { name: 'Done' }).click();
  await expect(page.getByRole('heading', { name: 'Round' })).toBeVisible();
}

async function atHeadquarters(): Promise<{ id: string; outcome: string | null }[]> {
  const token = await world.token('headquarters');
  const answer = await fetch(`${world.url}/v1/visits?limit=500`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return ((await answer.json()) as { visits: { id: string; outcome: string | null }[] }).visits;
}

test('a round with no network: reloaded, killed, and whole at headquarters in the end', async () => {
  test.setTimeout(240_000);
  const aigul = await Phone.at(world.url);
  let page = await aigul.open();
  await enroll(page, 'Айгүл Сейітова');
  await putAside(page);
  await world.stop();
  await aigul.offline(true);

  await page.reload();
  for (let number = 0; number < VISITS / 2; number += 1) await log(page, 'contacted', `note ${number}`);
  await expect(page.getByText('10 visits only on this phone · no connection')).toBeVisible();
  await page.reload();
  for (let number = VISITS / 2; number < VISITS; number += 1)
    await log(page, 'nobody home', `note ${number}`);

  // Half a visit, and the phone is out of memory.
  await page
    .getByRole('button', { name: /^Log a visit:/ })
    .first()
    .click();
  await page.getByText('refused', { exact: true }).click();
  await page.getByLabel('Note').pressSequentially('half a sen');
  await page.waitForTimeout(300);
  await aigul.kill();

  page = await aigul.open();
  await aigul.offline(true);
  await expect(page.getByText(`${VISITS} visits only on this phone`)).toBeVisible();
  await page.getByRole('link', { name: /Unfinished/ }).click();
  await expect(page.getByLabel('Note')).toHaveValue('half a sen');
  await expect(page.getByRole('radio', { name: 'refused' })).toBeChecked();
  await page.getByRole('button', { name: 'Done' }).click();
  await expect(page.getByText(`${VISITS + 1} visits only on this phone`)).toBeVisible();

  await world.start();
  await aigul.offline(false);
  await expect(page.getByText(/All at headquarters/)).toBeVisible();
  const known = await atHeadquarters();
  expect(known).toHaveLength(VISITS + 1);
  expect(new Set(known.map(({ id }) => id)).size).toBe(VISITS + 1);
  expect(known.filter(({ outcome }) => outcome === 'refused')).toHaveLength(1);

  await page.getByRole('link', { name: 'Visits' }).click();
  await page.getByRole('link', { name: /refused/ }).click();
  await expect(page.getByRole('heading', { name: 'At headquarters, signed for' })).toBeVisible();
  await page.getByText(/^Receipt:/).click();
  await expect(page.locator('pre')).toContainText('aralau/');
  await aigul.end();
});

test('the phone connects by the picture that headquarters shows, and by no other', async ({
  page: console,
}) => {
  await world.code('Ерлан Тілеуов');
  await signIn(console, world, await world.token('administrator'));
  await console.goto(`${world.url}/devices`);
  await console.getByRole('button', { name: 'Enroll a phone' }).click();
  await console.getByLabel('Whose phone').selectOption({ label: 'Ерлан Тілеуов · beat-01' });
  await console.getByRole('button', { name: 'Show the code' }).click();
  const picture = await console.getByRole('img', { name: 'Enrollment QR code' }).screenshot();

  const erlan = await Phone.at(world.url);
  const page = await erlan.open();
  await page.getByRole('button', { name: 'Point the camera at the code' }).click();
  const chosen = page.getByLabel('Choose a picture');
  await chosen.setInputFiles({ name: 'wall.png', mimeType: 'image/png', buffer: await page.screenshot() });
  await expect(page.getByText('There is no code to be seen in this picture.')).toBeVisible();
  await chosen.setInputFiles({ name: 'code.png', mimeType: 'image/png', buffer: picture });
  await expect(page.getByRole('heading', { name: 'Round' })).toBeVisible();
  await erlan.end();
});

test('a code behind the # connects, and is gone from the address', async () => {
  const dana = await Phone.at(world.url);
  const page = await dana.open(`${ROOT}#code=${await world.code('Дана Қасымова')}`);
  await expect(page).toHaveURL(`${world.url}${ROOT}`);
  await page.getByRole('button', { name: 'Connect' }).click();
  await expect(page.getByRole('heading', { name: 'Round' })).toBeVisible();
  await dana.end();
});

test('codes that do not count are told apart', async () => {
  const nobody = await Phone.at(world.url);
  const page = await nobody.open();
  const code = page.getByLabel('Or type the code');
  await code.fill('hello');
  await page.getByRole('button', { name: 'Connect' }).click();
  await expect(page.getByText(/twelve Latin letters and digits/)).toBeVisible();
  await code.fill('K7WQ-2M4P-AB3C');
  await page.getByRole('button', { name: 'Connect' }).click();
  await expect(page.getByText(/does not know this code/)).toBeVisible();
  await nobody.end();
});

test('two who edited one visit offline find both words, and one tap settles it', async () => {
  test.setTimeout(120_000);
  const phones = [await Phone.at(world.url), await Phone.at(world.url)] as const;
  const [first, second] = [await phones[0].open(), await phones[1].open()];
  await enroll(first, 'Болат Нұрланов');
  await enroll(second, 'Сәуле Қасымова');
  await log(first, 'contacted', 'met together');
  await expect(first.getByText(/All at headquarters/)).toBeVisible();
  await second.getByRole('button', { name: 'Sync now' }).click();
  for (const page of [first, second]) {
    await page.getByRole('link', { name: 'Visits' }).click();
    await page.locator('main li a', { hasText: 'Болат' }).first().click();
  }
  for (const [index, page] of [first, second].entries()) {
    await phones[index]?.offline(true);
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByText(index === 0 ? 'refused' : 'moved', { exact: true }).click();
    await expect(page.getByText(/1 visit only on this phone/)).toBeVisible();
  }
  for (const [index, page] of [first, second, first].entries()) {
    await phones[index % 2]?.offline(false);
    await page.getByRole('button', { name: 'Sync now' }).click();
    await expect(page.getByText(/All at headquarters/)).toBeVisible();
  }
  const settle = first.getByRole('region', { name: 'Outcome' });
  await expect(settle.getByRole('button')).toHaveCount(2);
  await settle.getByRole('button', { name: 'moved' }).click();
  await expect(settle).toHaveCount(0);
  await expect(first.getByText(/All at headquarters/)).toBeVisible();
  await second.getByRole('button', { name: 'Sync now' }).click();
  await expect(second.locator('main').getByText('moved').first()).toBeVisible();
  await Promise.all(phones.map((phone) => phone.end()));
});

test('a second tab works through the first one, and takes its place', async () => {
  const daniyar = await Phone.at(world.url);
  const first = await daniyar.open();
  await enroll(first, 'Данияр Омаров');
  const second = await daniyar.open();
  await log(second, 'contacted', 'from the second tab');
  await first.getByRole('link', { name: 'Visits' }).click();
  await expect(first.locator('main li a').first()).toContainText('Данияр Омаров');
  await first.close();
  await log(second, 'refused', 'after the first one was closed');
  await second.getByRole('link', { name: 'Visits' }).click();
  await expect(second.locator('main li a').first()).toContainText('refused');
  await daniyar.end();
});

test('the map draws the outline of the beat around its places, with no network', async () => {
  const dinara = await Phone.at(world.url);
  const page = await dinara.open();
  await enroll(page, 'Динара Жунусова');
  await dinara.offline(true);
  await page.reload();
  await page.getByRole('button', { name: 'Map' }).click();
  await expect(page.getByText('Dashed: the outline of the beat')).toBeVisible();
  // Its sides are upright: in one column of pixels each, most of the height, in dashes.
  const longest = await page.locator('canvas').evaluate((canvas: HTMLCanvasElement) => {
    const { width, height } = canvas;
    const pixels = canvas.getContext('2d')?.getImageData(0, 0, width, height).data ?? [];
    const drawn = (x: number): number => {
      let count = 0;
      for (let y = 0; y < height; y += 1) if ((pixels[(y * width + x) * 4 + 3] ?? 0) > 200) count += 1;
      return count;
    };
    const columns = Array.from({ length: width }, (_, x) => drawn(x) / height);
    return [Math.max(...columns.slice(0, width / 2)), Math.max(...columns.slice(width / 2))];
  });
  expect(Math.min(...longest)).toBeGreaterThan(0.3);
  expect(Math.max(...longest)).toBeLessThan(0.7);
  await dinara.end();
});

test('a phone that was shut out says so, and is erased by whoever holds it', async () => {
  const madina = await Phone.at(world.url);
  const page = await madina.open();
  await enroll(page, 'Мадина Әлиева');
  await madina.offline(true);
  await log(page, 'contacted', 'never sent');
  await world.revoke('Мадина Әлиева');
  await madina.offline(false);
  await page.getByRole('button', { name: 'Sync now' }).click();
  await page.getByRole('button', { name: 'Erase everything from this phone' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Erase everything' }).click();
  await expect(page.getByRole('heading', { name: 'Connect this phone' })).toBeVisible();
  await madina.end();
});

test('a newer app waits until no visit is being written, and takes over with all that is unsent', async () => {
  test.setTimeout(120_000);
  // What stands between is the server with another service worker, as after an upgrade.
  let upgraded = false;
  const between: Server = createServer((asked, answer) => {
    const passed = request(
      {
        port: world.port,
        host: '127.0.0.1',
        path: asked.url,
        method: asked.method,
        headers: { ...asked.headers, 'accept-encoding': 'identity', 'if-none-match': '' },
      },
      (heard) => {
        const isWorker = asked.url === `${ROOT}sw.js` && upgraded;
        const { 'content-length': length, etag, ...headers } = heard.headers;
        answer.writeHead(heard.statusCode ?? 502, isWorker ? headers : heard.headers);
        if (!isWorker) {
          heard.pipe(answer);
          return;
        }
        const parts: Buffer[] = [];
        heard.on('data', (part: Buffer) => parts.push(part));
        heard.on('end', () =>
          answer.end(`${Buffer.concat(parts).toString()}\n// ${length} ${etag}, and newer`),
        );
      },
    );
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  });
  await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
  const address = between.address();
  const url = `http://localhost:${typeof address === 'object' && address ? address.port : 0}`;

  const ainur = await Phone.at(url);
  const page = await ainur.open();
  await enroll(page, 'Айнұр Бекова');
  await putAside(page);
  await ainur.offline(true);
  await log(page, 'contacted', 'before the upgrade');
  await ainur.offline(false);
  await world.stop();
  await world.start();
  await page
    .getByRole('button', { name: /^Log a visit:/ })
    .first()
    .click();
  await page.getByLabel('Note').fill('while it came');
  upgraded = true;
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration();
    while (!registration?.waiting) await new Promise((resolve) => setTimeout(resolve, 50));
  });
  await expect(page.getByText('A newer version of the app is ready.')).toHaveCount(0);
  await page.getByRole('link', { name: 'Finish later' }).click();
  await page.getByRole('button', { name: 'Update' }).click();
  await expect(page.getByRole('link', { name: /Unfinished/ })).toBeVisible();
  await expect(page.getByText('A newer version of the app is ready.')).toHaveCount(0);
  await page.getByRole('link', { name: /Unfinished/ }).click();
  await expect(page.getByLabel('Note')).toHaveValue('while it came');
  await ainur.end();
  between.close();
});

test('sixty kilobytes pasted are refused with a sentence, and stay on the screen', async () => {
  const gulnar = await Phone.at(world.url);
  const page = await gulnar.open();
  await enroll(page, 'Гүлнар Ахметова');
  await page
    .getByRole('button', { name: /^Log a visit:/ })
    .first()
    .click();
  await page.getByText('contacted', { exact: true }).click();
  const hostile = '<img src=x onerror=alert(1)> \u202e ' + 'ә'.repeat(200);
  await page.getByLabel('Note').fill(hostile);
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('link', { name: 'Visits' }).click();
  await page.locator('main li a').first().click();
  await expect(page.getByRole('article').getByText('<img src=x onerror=alert(1)>')).toBeVisible();
  await page.getByLabel('Add a note').fill('ә'.repeat(60_000));
  await page.getByRole('button', { name: 'Keep the note' }).click();
  await expect(page.getByRole('alert')).toContainText('too long');
  await expect(page.getByLabel('Add a note')).not.toHaveValue('');
  await gulnar.end();
});

test.describe('for everybody', () => {
  for (const theme of ['light', 'dark', 'daylight']) {
    test(`axe finds nothing, ${theme}`, async () => {
      test.setTimeout(120_000);
      const zhanna = await Phone.at(world.url);
      const page = await zhanna.open();
      await page.evaluate((worn) => localStorage.setItem('aralau.theme', worn), theme);
      await page.reload();
      const check = async (): Promise<void> => {
        await page.evaluate(() => document.fonts.ready);
        const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
        expect(
          violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
        ).toEqual([]);
        // Nothing runs out of the screen, and every target is as large as a thumb in a glove.
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
        const small = await page.evaluate(() =>
          [
            ...document.querySelectorAll<HTMLElement>(
              'button, nav a, select, input:not([type=radio], .visually-hidden)',
            ),
          ]
            .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44)
            .map((one) => one.outerHTML),
        );
        expect(small).toEqual([]);
      };
      await expect(page.getByRole('heading', { name: 'Connect this phone' })).toBeVisible();
      await check();
      await enroll(page, `Жанна ${theme}`);
      await check();
      await page.getByRole('button', { name: 'Map', exact: true }).click();
      await expect(page.locator('canvas')).toBeVisible();
      await check();
      await page.getByRole('button', { name: 'List', exact: true }).click();
      await page
        .getByRole('button', { name: /^Log a visit:/ })
        .first()
        .click();
      await page.getByRole('button', { name: 'Commitment' }).click();
      await page.getByRole('button', { name: 'Concern' }).click();
      await page.getByText('contacted', { exact: true }).click();
      await page.getByLabel('To whom').fill('№ 12');
      await check();
      await page.getByRole('button', { name: 'Done' }).click();
      await page.getByRole('link', { name: 'Visits' }).click();
      await check();
      await page.locator('main li a').first().click();
      await page.getByText(/^History:/).click();
      await check();
      await page.getByRole('link', { name: 'Phone' }).click();
      await check();
      await zhanna.end();
    });
  }
});

test('where a browser has cleared the key and kept the visits, the phone goes on with all of them', async () => {
  test.setTimeout(120_000);
  const asel = await Phone.at(world.url);
  let page = await asel.open();
  await enroll(page, 'Әсел Жұмабаева');
  await asel.offline(true);
  await log(page, 'moved', 'before the key was lost');
  await expect(page.getByText(/1 visit only on this phone/)).toBeVisible();
  await page.goto('about:blank');
  await asel.offline(false);
  page = await asel.open(`${ROOT}manifest.webmanifest`);
  await page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.deleteDatabase('aralau');
        request.onsuccess = resolve;
        request.onerror = reject;
      }),
  );
  await page.goto(world.url + ROOT);
  await expect(page.getByText(/This phone.s key is lost/)).toBeVisible();
  await page.getByRole('button', { name: 'Go on with a new key' }).click();
  await page.getByLabel('Or type the code').fill(await world.code('Әсел Жұмабаева'));
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await expect(page.getByText(/All at headquarters/)).toBeVisible();
  expect((await atHeadquarters()).filter(({ outcome }) => outcome === 'moved').length).toBeGreaterThan(0);
  await page.getByRole('link', { name: 'Visits' }).click();
  await expect(page.locator('main li a', { hasText: 'moved' }).filter({ hasText: 'Әсел' })).toContainText(
    'at headquarters',
  );
  await asel.end();
});

test('a wrong clock is shown, and the visit reaches headquarters all the same', async () => {
  const marat = await Phone.at(world.url);
  await marat.wrongClock(5 * 60 * 60 * 1000);
  const page = await marat.open();
  await enroll(page, 'Марат Ибраев');
  await expect(page.getByText(/clock is 5 h ahead/)).toBeVisible();
  await log(page, 'contacted', 'by a clock that is ahead');
  await expect(page.getByText(/All at headquarters/)).toBeVisible();
  await marat.end();
});

test('a phone without room says so and keeps what is on the screen, and the app may be installed', async () => {
  test.setTimeout(180_000);
  const saken = await Phone.at(world.url);
  const page = await saken.open();
  await enroll(page, 'Сәкен Оспанов');
  await putAside(page);
  const devtools = await page.context().newCDPSession(page);
  const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
  expect(installabilityErrors).toEqual([]);
  const origin = new URL(world.url).origin;
  const { usage = 0 } = await page.evaluate(() => navigator.storage.estimate());
  await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage + (256 << 10) });
  await saken.offline(true);
  await log(page, 'contacted', 'the last but some');
  await expect(page.getByText(/has little room left/)).toBeVisible();
  const done = page.getByRole('button', { name: 'Done' });
  const refused = page.getByText(/It could not be kept: perhaps the phone is full/);
  const round = page.getByRole('heading', { name: 'Round' });
  let note = '';
  let written = -1;
  // A field may find no room and the visit with all of them some: refused is what does not lead back to the round.
  const isLogged = (): Promise<boolean> =>
    expect(round)
      .toBeVisible({ timeout: 3_000 })
      .then(
        () => true,
        () => false,
      );
  do {
    written += 1;
    expect(written, 'the quota never ended').toBeLessThan(120);
    note = `${written}: ${'ә'.repeat(8_000)}`;
    await page
      .getByRole('button', { name: /^Log a visit:/ })
      .first()
      .click();
    await page.getByText('contacted', { exact: true }).click();
    await page.getByLabel('Note').fill(note);
    await done.click();
    await expect(round.or(refused)).toBeVisible();
  } while (await isLogged());
  await expect(refused).toBeVisible();
  await expect(page.getByLabel('Note')).toHaveValue(note);
  // Somebody deletes a film.
  await devtools.send('Storage.overrideQuotaForOrigin', { origin });
  await done.click();
  await expect(round).toBeVisible();
  await expect(page.getByText(`${2 + written} visits only on this phone`)).toBeVisible();
  await saken.offline(false);
  await expect(page.getByText(/All at headquarters/)).toBeVisible();
  await saken.end();
});

test('a page in the background is woken when the browser says that the network is back', async () => {
  const timur = await Phone.at(world.url);
  const page = await timur.open();
  await enroll(page, 'Темір Сәтбаев');
  await putAside(page);
  await timur.offline(true);
  await log(page, 'contacted', 'while there was none');
  await expect(page.getByText(/1 visit only on this phone/)).toBeVisible();
  const registered = (): Promise<string[]> =>
    page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      return (registration as unknown as { sync: { getTags(): Promise<string[]> } }).sync.getTags();
    });
  await expect.poll(registered).toEqual(['aralau']);
  // The page hears of the network by nothing else.
  await page.evaluate(() => addEventListener('online', (event) => event.stopImmediatePropagation(), true));
  await timur.offline(false);
  await expect(page.getByText(/All at headquarters/)).toBeVisible({ timeout: 30_000 });
  await timur.end();
});
