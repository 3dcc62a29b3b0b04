// What headquarters takes along on paper.
import { expect, test } from '@playwright/test';
import { World, signIn, type Device } from './world.ts';

const VISITS = 64;

let world: World;
let token: string;
let aigul: Device;
let visit: string;

test.beforeAll(async () => {
  test.setTimeout(240_000);
  world = await World.begin();
  token = await world.token('administrator');
  aigul = await world.device('Айгүл Серікқызы');
  for (let index = 0; index < VISITS; index += 1) {
    const at = new Date(Date.UTC(2026, 4, 31, 12) - index * 3_600_000).toISOString();
    visit = await aigul.log(index % 16 ? 'refused' : 'no_access', 'Есік ашылмады.', index % 12, at);
  }
  await aigul.sync();
});

test.afterAll(() => world.end());

/** Sheets of a PDF, and how large they are. */
function sheets(pdf: Buffer): string[] {
  return [...pdf.toString('latin1').matchAll(/MediaBox \[0 0 (\d+)[.\d]* (\d+)[.\d]*\]/g)].map(([, width, height]) => `${width}×${height}`);
}

for (const [locale, title, period, outcome, table] of [
  ['ru', 'История посещений', '01.05.2026 – 31.05.2026', 'отказ', 'Посещения, новые сверху'],
  ['kk', 'Бару тарихы', '01.05.2026 – 31.05.2026', 'бас тартты', null],
] as const) {
  test(`the history goes onto sheets of A4 as a plain table, in ${locale}`, async ({ page }) => {
    await signIn(page, world, token, locale);
    await page.goto(`${world.url}/visits?outcome=refused&from=2026-05-01&to=2026-05-31`);
    await expect(page.getByRole('grid')).toBeVisible();
    await expect(page.locator('table')).toHaveCount(0);
    await page.emulateMedia({ media: 'print' });
    await expect(page.getByRole('heading', { name: title })).toBeVisible();
    const printed = table ? page.getByRole('table', { name: table }) : page.getByRole('table');
    const rows = printed.locator('tbody tr');
    await expect(rows).toHaveCount(VISITS - VISITS / 16);
    await expect(page.getByText(period)).toBeVisible();
    await expect(page.getByRole('definition').filter({ hasText: outcome })).toBeVisible();
    await expect(page.getByRole('grid')).toBeHidden();
    for (const hidden of await page.locator('button, nav, search, textarea').all()) await expect(hidden).toBeHidden();
    // Each row stands below the one before.
    const tops = await rows.evaluateAll((all) => all.map((row) => row.getBoundingClientRect()));
    for (const [at, { top }] of tops.entries()) expect(top).toBeGreaterThanOrEqual((tops[at - 1]?.bottom ?? 0) - 1);
    await page.emulateMedia({ media: 'screen' });
    await expect(page.locator('table')).toHaveCount(0);

    // As the browser's own command prints, with nobody having prepared the page.
    await page.emulateMedia({ media: null });
    const taken = sheets(await page.pdf({ preferCSSPageSize: true }));
    expect(taken.length).toBeGreaterThanOrEqual(2);
    expect(new Set(taken)).toEqual(new Set([taken[0]]));
    expect(taken[0]).toMatch(/^59[45]×84[12]$/);
    await expect(page.locator('table')).toHaveCount(0);
  });
}

test('a printed visit has no link back, no receipt and no empty field', async ({ page }) => {
  await signIn(page, world, token, 'ru');
  await page.goto(`${world.url}/visits/${visit}`);
  await expect(page.getByRole('region', { name: 'Квитанция' })).toBeVisible();
  await page.emulateMedia({ media: 'print' });
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(page.getByText('Есік ашылмады.').first()).toBeVisible();
  await expect(page.getByRole('region', { name: 'Квитанция' })).toBeHidden();
  for (const hidden of ['К истории', 'Квитанция', 'Проверить']) await expect(page.getByText(hidden, { exact: true })).toBeHidden();
  await expect(page.locator('textarea, button').filter({ visible: true })).toHaveCount(0);
});
