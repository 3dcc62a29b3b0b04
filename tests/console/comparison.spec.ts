// Coverage beside the period before, and each beat over time.
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Locator, type Page } from '@playwright/test';
import { World, signIn } from './world.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const ago = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString();

let world: World;
let token: string;

test.beforeAll(async () => {
  test.setTimeout(240_000);
  world = await World.begin();
  token = await world.token('headquarters');
  const [aigul, far] = [await world.device('Aigul'), await world.device('Timur', 'beat-02')];
  // Three places met in the last four weeks, one in the four before.
  for (const place of [0, 1, 2]) await aigul.log('contacted', 'Met.', place, ago(3 + place));
  await aigul.log('refused', 'Refused.', 3, ago(3));
  await aigul.log('contacted', 'Met before.', 4, ago(40));
  await far.log('contacted', 'Met elsewhere.', 0, ago(10));
  await aigul.sync();
  await far.sync();
});

test.afterAll(() => world.end());

const figure = (page: Page, name: string): Locator =>
  page
    .locator('.figures-row > .card')
    .filter({ has: page.getByRole('link', { name: new RegExp(`: ${name}$`) }) });

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(wider).toBeLessThanOrEqual(0);
}

function fourWeeks(): string {
  return new URLSearchParams({ from: ago(27).slice(0, 10), to: ago(0).slice(0, 10) }).toString();
}

test('a figure says what it was in as many days directly before, by an arrow and in words', async ({
  page,
}) => {
  await signIn(page, world, token);
  const asked: URLSearchParams[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/v1/coverage?')) asked.push(new URL(request.url()).searchParams);
  });
  await page.goto(`${world.url}/coverage?${fourWeeks()}`);
  await expect(
    figure(page, 'Contacted').getByText('3 more than in the period before, which had 1'),
  ).toBeAttached();
  await expect(figure(page, 'Contacted').locator('span[aria-hidden=true]')).toHaveText('3');
  await expect(figure(page, 'Attempted only').getByText('1 more than in the period before')).toBeAttached();
  await expect(figure(page, 'Overdue').getByText('as many as in the period before')).toBeAttached();
  // What nobody knows of the past is not compared.
  await expect(figure(page, 'Overdue commitments').getByText('the period before')).toHaveCount(0);
  await expect(page.getByText('Arrows compare with as many days directly before')).toBeVisible();
  const [now, then] = asked;
  const days = (one: string, other: string) => (Date.parse(other) - Date.parse(one)) / DAY_MS;
  expect(days(then?.get('from') ?? '', then?.get('to') ?? '')).toBe(27);
  expect(days(then?.get('to') ?? '', now?.get('from') ?? '')).toBe(1);
  await expectAccessible(page);
});

test('where the period before cannot be read the figures stand without it', async ({ page }) => {
  await signIn(page, world, token);
  let refusals = 1;
  await page.route(/\/v1\/coverage\?.*bucket=month/, async (route) => {
    if (refusals-- > 0)
      await route.fulfill({ status: 500, json: { code: 'internal', title: 'internal', status: 500 } });
    else await route.continue();
  });
  await page.goto(`${world.url}/coverage?${fourWeeks()}`);
  await expect(page.getByText('The period before could not be read.')).toBeVisible();
  await expect(figure(page, 'Contacted').getByRole('link')).toHaveText('4');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(figure(page, 'Contacted').getByText('3 more than')).toBeAttached();
});

test('each beat over time opens to the visits of a cell, and is moved in by keys', async ({ page }) => {
  await signIn(page, world, token);
  await page.goto(`${world.url}/coverage?${fourWeeks()}&bucket=month`);
  const table = page.getByRole('region', { name: 'Beats over time' }).getByRole('table');
  const sums = async () => {
    const cells = await table
      .getByRole('row')
      .filter({ hasText: 'Участок № 1' })
      .getByRole('cell')
      .allInnerTexts();
    return cells.reduce((sum, cell) => sum + Number(cell), 0);
  };
  await expect(table).toBeVisible();
  expect(await sums()).toBe(3);
  await page.getByRole('button', { name: 'Attempted only' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Attempted only' })).toHaveAttribute('aria-pressed', 'true');
  expect(await sums()).toBe(1);
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Contacted' }).click();
  const cell = table.getByRole('row').filter({ hasText: 'Участок № 2' }).getByRole('link').first();
  await cell.click();
  await expect(page).toHaveURL(/\/visits\?beat=beat-02&outcome=contacted/);
  await expect(page.getByRole('grid').locator('[role=row][aria-selected]')).toHaveCount(1);
});

const SHOWN = [390, 768, 1280].flatMap((width) =>
  ['light', 'dark', 'daylight'].map((theme) => ['ru', theme, width] as const),
);

for (const [locale, theme, width] of [...SHOWN, ['kk', 'dark', 390], ['en', 'daylight', 768]] as const)
  test(`it is read in ${locale}, ${theme}, ${width} pixels wide`, async ({ page }) => {
    await page.addInitScript((theme) => localStorage.setItem('aralau.theme', theme), theme);
    await signIn(page, world, token, locale);
    await page.setViewportSize({ width, height: 844 });
    await page.goto(`${world.url}/coverage?${fourWeeks()}&bucket=day`);
    await expect(page.locator('table').first()).toBeAttached();
    await expect(page.locator('.skeleton')).toHaveCount(0);
    await expectAccessible(page);
  });
