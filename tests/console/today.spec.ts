// The start page: what waits for a person, whoever that is, and the list behind each number.
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Locator, type Page } from '@playwright/test';
import { World, signIn, type Device } from './world.ts';

// They tell one story: each begins where the one before has ended.
test.describe.configure({ mode: 'serial' });

let world: World;
let administrator: string;
let aigul: Device;
let timur: Device;
let visit: string;

test.beforeAll(async () => {
  test.setTimeout(240_000);
  world = await World.begin();
  administrator = await world.token('administrator');
});

test.afterAll(() => world.end());

const card = (page: Page, name: string): Locator => page.getByRole('region', { name, exact: true });

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(wider).toBeLessThanOrEqual(0);
}

async function toToday(page: Page): Promise<void> {
  await page.getByRole('navigation', { name: 'Sections' }).getByRole('link').first().click();
  await expect(page.getByRole('heading', { name: 'Today', level: 1 })).toBeVisible();
}

test('whoever signs in begins with what waits, and where nothing does it says so', async ({ page }) => {
  await page.addInitScript(() => localStorage.setItem('aralau.locale', 'en'));
  await page.goto(world.url);
  await page.locator('input[type=password]').fill(await world.token('headquarters'));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Today', level: 1 })).toBeVisible();
  await expect(page).toHaveURL(`${world.url}/`);
  await expect(page.getByText('Nothing waits for you')).toBeVisible();
  await expect(card(page, 'Conflicts')).toContainText('nothing waits');
  // What headquarters does not decide is not put before it.
  for (const name of ['Quarantine', 'Backup', 'Devices wait to be confirmed'])
    await expect(card(page, name)).toHaveCount(0);
  await expectAccessible(page);
});

test('an address of the history from before leads to the history', async ({ page }) => {
  await signIn(page, world, administrator);
  await page.goto(`${world.url}/?outcome=refused`);
  await expect(page).toHaveURL(`${world.url}/visits?outcome=refused`);
  await expect(page.getByText('No visits pass this filter')).toBeVisible();
});

test('what comes while the page is open is told at once, and each number opens as many', async ({ page }) => {
  test.setTimeout(180_000);
  await signIn(page, world, administrator);
  await toToday(page);
  await expect(card(page, 'Conflicts')).toContainText('nothing waits');

  [aigul, timur] = [await world.device('Aigul'), await world.device('Timur')];
  const lost = await world.device('Lost');
  visit = await aigul.log('contacted', 'Both were at this door.');
  await aigul.edit(visit, '--concern', 'noise', '--promise', 'Light in the yard', '--due', '2020-01-31');
  await aigul.edit(await aigul.log('contacted', 'The same again.'), '--concern', 'noise');
  await aigul.sync();
  await timur.sync();
  await aigul.edit(visit, '--outcome', 'refused');
  await timur.edit(visit, '--outcome', 'moved');
  await lost.sync();
  await world.revoke('Lost');
  for (const place of [2, 3]) await lost.log('contacted', `Of the lost phone, ${place}.`, place);
  for (const device of [aigul, timur]) await device.sync();
  await lost.sync().catch(() => undefined);

  await expect(card(page, 'Conflicts').locator('strong')).toHaveText('1');
  await expect(card(page, 'Quarantine').locator('strong')).toHaveText('2');
  await expect(card(page, 'Overdue commitments').locator('strong')).toHaveText('1');
  await expect(card(page, 'Repeat problems').locator('strong')).toHaveText('1');
  await expect(card(page, 'Backup')).toContainText('copies made so far');
  await expect(page.getByText(/^5 matters wait$/)).toBeVisible();
  await expectAccessible(page);

  const articles = page.getByRole('article');
  const rows = page.getByRole('grid').locator('[role=row][aria-selected]');
  const table = page.locator('tbody tr');
  for (const [name, behind, address] of [
    ['Conflicts', articles, /\/conflicts$/],
    ['Quarantine', articles, /\/quarantine$/],
    ['Overdue commitments', rows, /due_before=/],
    ['Repeat problems', table, /repeat-problems/],
  ] as const) {
    await toToday(page);
    const link = card(page, name).getByRole('link').first();
    const count = Number(await link.locator('strong').innerText());
    // By keys alone, as by hand.
    await link.focus();
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(address);
    await expect(behind, name).toHaveCount(count);
  }
});

test('phones that are silent, and what they still hold, open to those phones', async ({ page }) => {
  await signIn(page, world, administrator);
  // A day later by the browser's clock, and a phone that could not send all.
  await page.route('**/v1/devices?*', async (route) => {
    const answer = await route.fetch();
    const shown = (await answer.json()) as {
      devices: { person: { name: string }; last_sync_at: string; unsent: number; oldest_unsent_at: string }[];
    };
    for (const device of shown.devices) {
      if (device.person.name === 'Aigul') device.last_sync_at = '2026-01-01T00:00:00Z';
      if (device.person.name === 'Timur')
        [device.unsent, device.oldest_unsent_at] = [7, '2026-01-01T00:00:00Z'];
    }
    await route.fulfill({ response: answer, json: shown });
  });
  await toToday(page);
  await expect(card(page, 'Silent phones').locator('strong')).toHaveText('1');
  await expect(card(page, 'Unsent visits')).toContainText('7 entries');
  await card(page, 'Silent phones').getByRole('link').click();
  await expect(page.locator('tbody tr')).toHaveCount(1);
  await expect(page.locator('tbody tr')).toContainText('Aigul');
  await expect(page.getByText('1 device', { exact: true })).toBeVisible();
  await page.getByRole('link', { name: 'With unsent entries' }).click();
  await expect(page.locator('tbody tr')).toHaveCount(1);
  await expect(page.locator('tbody tr')).toContainText('Timur');
  await page.getByRole('link', { name: 'To be confirmed' }).click();
  await expect(page.getByText('There are no such devices')).toBeVisible();
  await expectAccessible(page);
});

test('a question that fails takes its own card, and is asked again from there', async ({ page }) => {
  await signIn(page, world, administrator);
  let refusals = 1;
  await page.route('**/v1/conflicts?*', async (route) => {
    if (refusals-- > 0)
      await route.fulfill({ status: 500, json: { code: 'internal', title: 'internal', status: 500 } });
    else await route.continue();
  });
  await toToday(page);
  await expect(card(page, 'Quarantine').locator('strong')).toHaveText('2');
  await expect(page.getByText('matters wait')).toHaveCount(0);
  await expectAccessible(page);
  await card(page, 'Conflicts').getByRole('button', { name: 'Try again' }).click();
  await expect(card(page, 'Conflicts').locator('strong')).toHaveText('1');
});

test('whoever is limited to beats is told of those alone', async ({ page }) => {
  const supervisor = await world.token('supervisor', 'beat-02');
  await signIn(page, world, supervisor);
  await toToday(page);
  await expect(page.getByText('Of your beats alone: Участок № 2.')).toBeVisible();
  await expect(card(page, 'Conflicts')).toContainText('nothing waits');
  await expect(card(page, 'Overdue commitments')).toContainText('nothing waits');
  await expect(card(page, 'Backup')).toHaveCount(0);
});

for (const [locale, title] of [
  ['ru', 'Сегодня'],
  ['kk', 'Бүгін'],
] as const) {
  for (const width of [390, 768, 1280]) {
    for (const theme of ['light', 'dark', 'daylight'])
      test(`it is read in ${locale}, ${theme}, ${width} pixels wide`, async ({ page }) => {
        await page.setViewportSize({ width, height: 844 });
        await page.addInitScript((theme) => localStorage.setItem('aralau.theme', theme), theme);
        await page.addInitScript((locale) => localStorage.setItem('aralau.locale', locale), locale);
        await page.goto(world.url);
        await page.locator('input[type=password]').fill(administrator);
        await page.keyboard.press('Enter');
        await expect(page.getByRole('heading', { name: title, level: 1 })).toBeVisible();
        await expect(page.locator('.skeleton')).toHaveCount(0);
        await expectAccessible(page);
      });
  }
}
