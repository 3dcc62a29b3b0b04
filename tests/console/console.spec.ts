import { readFile } from 'node:fs/promises';
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { strFromU8, unzipSync } from 'fflate';
import { World, signIn, type Device } from './world.ts';

// They tell one story: each begins where the one before has ended.
test.describe.configure({ mode: 'serial' });

const HOSTILE = '<img src=x onerror="window.hacked=1"><b>bold</b> \u202Etfel\u202C 👮🏽‍♀️ =cmd|calc';

let world: World;
let token: string;
let aigul: Device;
let timur: Device;
let shared: string;

test.beforeAll(async () => {
  world = await World.begin();
  token = await world.token('administrator');
  aigul = await world.device('Aigul');
  timur = await world.device('Timur');
  shared = await aigul.log('contacted', 'Both were at this door.');
  await aigul.log('nobody_home', HOSTILE, 1);
  // A note holds 32 KiB at most; this one is as long as a phone lets it be.
  await aigul.log('refused', 'Долго '.repeat(2_900), 2);
  await aigul.log('contacted', 'By a clock that is wrong.', 3, '1980-01-01T00:00:00Z');
  await aigul.sync();
  await timur.sync();
});

test.afterAll(() => world.end());

const rows = (page: Page) => page.getByRole('grid').locator('[role=row][aria-selected]');

/** What a workbook holds. Beside it a file tells when it was made. */
function sheets(workbook: Buffer): Record<string, string> {
  const files = Object.entries(unzipSync(workbook)).filter(([name]) => /^xl\/.*\.xml$/.test(name));
  expect(files.map(([name]) => name)).toContain('xl/worksheets/sheet1.xml');
  return Object.fromEntries(files.map(([name, content]) => [name, strFromU8(content)]));
}

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
}

test('a token that the server does not know is refused in words', async ({ page }) => {
  await page.goto(world.url);
  await page.locator('input[type=password]').fill('aralau_nobody');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toBeVisible();
  await expectAccessible(page);
});

test('no script can read the session, and nothing is asked of another server', async ({ page, context }) => {
  const foreign: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(world.url) && !/^(blob|data):/.test(request.url())) foreign.push(request.url());
  });
  await signIn(page, world, token);
  for (const path of ['/', '/visits', '/map', '/places', '/coverage', '/repeat-problems', '/conflicts', '/quarantine', '/devices']) {
    await page.goto(world.url + path);
    await page.waitForLoadState('load');
  }
  const cookie = (await context.cookies()).find(({ name }) => name === 'aralau_session');
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
  expect(await page.evaluate(() => document.cookie)).toBe('');
  expect(foreign).toEqual([]);
});

test('a visit slides in while the page is open', async ({ page }) => {
  await signIn(page, world, token);
  await expect(rows(page)).toHaveCount(4);
  await timur.log('no_access', 'Came live.', 4);
  await timur.sync();
  await expect(rows(page)).toHaveCount(5);
  await expect(rows(page).first()).toContainText('no access');
});

test('the filter is the address, and is worked by keys', async ({ page }) => {
  await signIn(page, world, token);
  await expect(rows(page).first()).toBeVisible();
  await page.keyboard.press('/');
  await page.keyboard.type('Both door');
  await page.keyboard.press('Enter');
  await expect(rows(page)).toHaveCount(1);
  expect(new URL(page.url()).searchParams.get('text')).toBe('Both door');
  await page.reload();
  await expect(rows(page)).toHaveCount(1);
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(`/visits/${shared}`));
});

test('what makes no sense in the address is left out, and said', async ({ page }) => {
  await signIn(page, world, token);
  // As long as an address may be where the server is asked for the page; the rest is put there by the page itself.
  await page.evaluate(() => history.replaceState(null, '', `/?${'late=maybe&'.repeat(10_000)}from=yesterday`));
  await page.evaluate(() => dispatchEvent(new PopStateEvent('popstate')));
  await expect(page.getByText(/10,001 conditions/)).toBeVisible();
  await expect(rows(page).first()).toBeVisible();
});

test('hostile words are words', async ({ page }) => {
  await signIn(page, world, token);
  await page.goto(`${world.url}/visits?text=bold`);
  await rows(page).first().getByRole('link', { includeHidden: true }).click();
  await expect(page.getByText('<b>bold</b>').first()).toBeVisible();
  // Device, uptime, server: all three are known of a phone that synced in the boot in which it wrote.
  await expect(page.locator('.clocks').first().locator('time')).toHaveCount(3);
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
  expect(await page.locator('main img').count()).toBe(0);
  await page.goto(`${world.url}/visits?text=Долго`);
  await rows(page).first().getByRole('link', { includeHidden: true }).click();
  const more = page.getByRole('button', { name: 'Show all' }).first();
  await expect(more).toHaveAttribute('aria-expanded', 'false');
  await more.click();
  await expect(page.getByRole('button', { name: 'Show less' }).first()).toBeVisible();
});

test('a conflict that two devices made is settled, and both learn of it', async ({ page }) => {
  await aigul.edit(shared, '--outcome', 'refused');
  await timur.edit(shared, '--outcome', 'moved');
  await aigul.sync();
  await timur.sync();
  await signIn(page, world, token);
  await page.goto(`${world.url}/conflicts`);
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Keep this: moved' }).click();
  await expect(page.getByText(/Settled: moved/)).toBeVisible();
  await expect(page.getByText('No conflicts')).toBeVisible();
  for (const device of [aigul, timur]) {
    await device.sync();
    const visit = (await device.visits()).split('\n').find((line) => line.includes(shared)) ?? '';
    expect(visit).toContain('moved');
    expect(visit).not.toContain('"refused"');
  }
});

test('the page checks for itself that a visit is in the log and that the log has only grown', async ({ page }) => {
  await signIn(page, world, token);
  await page.goto(`${world.url}/visits/${shared}`);
  const card = page.getByRole('region', { name: 'Receipt' });
  await expect(card.getByText('for the first time')).toBeVisible();
  await card.getByRole('button', { name: 'Verify' }).click();
  await expect(card.getByText('rows of this visit are under the signed fingerprint')).toBeVisible();

  // Rows come, and a phone shows the receipt that it was given before.
  const receipt = await timur.receipt();
  await timur.log('contacted', 'Later.', 2);
  await timur.sync();
  await page.reload();
  await card.getByText('Technical details').click();
  await card.getByRole('textbox').fill(receipt);
  await card.getByRole('button', { name: 'Verify' }).click();
  await expect(card.getByText('that this browser saw before: it has only grown')).toBeVisible();
  await expect(card.getByText('of the phone’s receipt')).toBeVisible();
  await expectAccessible(page);

  await card.getByRole('textbox').fill(receipt.replace('epoch', 'epoch 1'));
  await card.getByRole('button', { name: 'Verify' }).click();
  await expect(card.getByText('is no receipt')).toBeVisible();

  // A server that says of a row what it did not say before.
  await page.route('**/proof*', async (route) => {
    const answer = await route.fetch();
    const proof = (await answer.json()) as { rows: { entry: string }[] };
    for (const row of proof.rows) row.entry = 'ab'.repeat(32);
    await route.fulfill({ response: answer, json: proof });
  });
  await card.getByRole('button', { name: 'Verify' }).click();
  await expect(card.getByText('Not every row of this visit')).toBeVisible();
  await expectAccessible(page);
});

test('every figure of coverage opens to what is behind it', async ({ page }) => {
  await aigul.edit(shared, '--concern', 'noise', '--promise', 'Light in the yard', '--due', '2020-01-31');
  await aigul.sync();
  const again = await timur.log('contacted', 'The same again.', 0);
  await timur.edit(again, '--concern', 'noise');
  await timur.sync();
  await signIn(page, world, token);
  const table = page.locator('tbody tr');
  for (const [name, least, behind] of [
    ['Contacted', 1, table],
    ['Attempted only', 2, table],
    ['Due', 1, table],
    ['Overdue', 0, table],
    ['Overdue commitments', 1, rows(page)],
    ['Repeat problems', 1, table],
  ] as const) {
    await page.goto(`${world.url}/coverage?beat=beat-01`);
    const figure = page.getByRole('main').locator('.figures-row').getByRole('link', { name: new RegExp(`: ${name}$`) });
    const count = Number(await figure.innerText());
    expect(count, name).toBeGreaterThanOrEqual(least);
    await figure.click();
    await expect(page).not.toHaveURL(/coverage/);
    await expect(page.locator('.skeleton')).toHaveCount(0);
    await expect(behind, name).toHaveCount(count);
    await expectAccessible(page);
  }
  await page.getByRole('link', { name: '2 visits' }).click();
  await expect(rows(page)).toHaveCount(2);
  await expect(page.getByRole('button', { name: /^Concern noise/ })).toBeVisible();
});

test('a place on the map says how it stands', async ({ page }) => {
  await signIn(page, world, token);
  await page.goto(`${world.url}/places?standing=due&beat=beat-01`);
  await expect(page.getByText('never').first()).toBeVisible();
  await page.getByRole('link', { name: 'On the map' }).click();
  await expect(page).toHaveURL(/map\?beat=beat-01/);
  await expect(page.getByRole('checkbox', { name: 'Places' })).toBeChecked();
  await expect(page.getByText('overdue')).toBeVisible();
});

test('an export holds what the API gives for the same filter', async ({ page }) => {
  await signIn(page, world, token);
  await page.goto(`${world.url}/visits?outcome=no_access`);
  await expect(rows(page)).toHaveCount(1);
  for (const [asked, name] of [
    ['csv?language=en&', /^CSV, a table/],
    ['geojson?', /^GeoJSON, a map/],
    ['xlsx?language=en&sheets=all&', /^XLSX, Excel/],
  ] as const) {
    // By hand, not by keys: a download takes the keyboard's focus to the browser's own window.
    await page.getByRole('button', { name: 'Export' }).click();
    await expect(page.getByRole('dialog').getByText('1 visit', { exact: true })).toBeVisible();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name }).click();
    const saved = await readFile(await (await download).path());
    const given = await fetch(`${world.url}/v1/export.${asked}outcome=no_access`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const bytes = Buffer.from(await given.arrayBuffer());
    if (asked.startsWith('xlsx')) expect(sheets(saved)).toEqual(sheets(bytes));
    else expect(saved.equals(bytes)).toBe(true);
    await expect(page.getByText(/^Done:/)).toBeVisible();
    await page.getByRole('button', { name: 'Close' }).click();
  }
});

test('a phone enrolls by the code on screen, and is shut out', async ({ page }) => {
  await signIn(page, world, token);
  await page.goto(`${world.url}/devices`);
  await page.getByRole('button', { name: 'Enroll a phone' }).click();
  await page.getByLabel('Whose phone').selectOption({ label: 'Timur · beat-01' });
  await page.getByRole('button', { name: 'Show the code' }).click();
  await expect(page.getByRole('img', { name: 'Enrollment QR code' })).toBeVisible();
  await expectAccessible(page);
  const code = await page.locator('dd.mono').nth(1).innerText();
  const second = await world.enroll('second', code);
  await page.getByRole('button', { name: 'Close' }).click();
  await page.reload();
  await expect(page.getByRole('row', { name: /Timur/ })).toHaveCount(2);

  await page.getByRole('row', { name: /Aigul/ }).getByRole('button', { name: /Revoke/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect(page.getByRole('row', { name: /Aigul/ })).toContainText('revoked');
  await second.log('contacted', 'By the second phone.', 5);
  await second.sync();
});

test('the server goes away and comes back: the page says so and recovers', async ({ page }) => {
  await signIn(page, world, token);
  await expect(rows(page).first()).toBeVisible();
  const before = await rows(page).count();
  await world.stop();
  await expect(page.getByText('Server does not answer').first()).toBeVisible();
  await expect(rows(page)).toHaveCount(before);
  await timur.log('vacant', 'Written while the server was away.', 6);
  await world.start();
  await expect(page.getByText('The server is back')).toBeVisible({ timeout: 30_000 });
  await timur.sync();
  await expect(rows(page)).toHaveCount(before + 1);
});

test('the language changes at once and stays', async ({ page }) => {
  await signIn(page, world, token);
  await page.getByLabel('Language').selectOption('kk');
  await expect(page.getByRole('heading', { name: 'Бару тарихы' })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('lang', 'kk');
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Бару тарихы' })).toBeVisible();
  await page.locator('select').filter({ hasText: 'Русский' }).selectOption('ru');
  await expect(page.getByText(/\d посещени/).first()).toBeVisible();
});

test('what a shut-out device had not sent is judged by a person', async ({ page }) => {
  await aigul.log('contacted', 'Written before the phone was lost.', 7);
  await aigul.log('contacted', 'Not her words.', 8);
  // The device is told that it is shut out; what it sent is kept all the same.
  await aigul.sync().catch(() => undefined);
  await signIn(page, world, token);
  await page.goto(`${world.url}/quarantine`);
  const entry = (words: string) => page.getByRole('article').filter({ hasText: words });
  await entry('before the phone was lost').getByRole('button', { name: 'Release' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
  await expect(page.getByText('1 entry released.')).toBeVisible();
  await entry('Not her words').getByRole('button', { name: 'Reject' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('button', { name: 'Reject' })).toBeDisabled();
  await dialog.getByRole('textbox').fill('The phone was stolen that day.');
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Reject' }).click();
  await expect(page.getByText('No entry waits for a decision.')).toBeVisible();
  await page.getByRole('link', { name: 'Rejected' }).click();
  await expect(entry('Not her words')).toContainText('The phone was stolen that day.');
});

test('an auditor is offered no change', async ({ page }) => {
  await signIn(page, world, await world.token('auditor'));
  await expect(rows(page).first()).toBeVisible();
  await expect(page.getByRole('link', { name: 'Access' })).toHaveCount(0);
  await page.goto(`${world.url}/devices`);
  await expect(page.getByRole('table')).toBeVisible();
  await expect(page.getByRole('button', { name: /Revoke|Enroll/ })).toHaveCount(0);
});

test('a session that has ended leads to the sign-in, and back to the same page', async ({ page, context }) => {
  await signIn(page, world, token);
  await page.goto(`${world.url}/devices`);
  await expect(page.getByRole('table')).toBeVisible();
  await context.clearCookies();
  await page.getByRole('link', { name: 'Quarantine' }).click();
  await expect(page.getByText(/Your session has ended/)).toBeVisible();
  await page.locator('input[type=password]').fill(token);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Quarantine', exact: true })).toBeVisible();
});

for (const theme of ['light', 'dark'] as const) {
  for (const width of [1280, 390]) {
    test(`axe finds nothing, ${theme}, ${width} pixels wide`, async ({ page }) => {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 800 });
      await page.addInitScript(() => localStorage.setItem('aralau.locale', 'en'));
      await page.goto(`${world.url}/visits`);
      await page.locator('input[type=password]').fill(token);
      await page.keyboard.press('Enter');
      await expect(rows(page).first()).toBeVisible();
      const pages = ['/places', '/coverage', '/repeat-problems', '/conflicts', '/quarantine', '/devices', '/organisation', '/tokens', '/map'];
      for (const path of ['/', '/visits', `/visits/${shared}`, ...pages]) {
        await page.goto(world.url + path);
        await expect(page.locator('h1')).toBeVisible();
        await expect(page.locator('.skeleton')).toHaveCount(0);
        await expectAccessible(page);
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(wider, `${path} fits the screen`).toBeLessThanOrEqual(0);
      }
    });
  }
}
