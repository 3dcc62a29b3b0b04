import { readFile } from 'node:fs/promises';
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { World, signIn } from './world.ts';

let world: World;
let token: string;

test.beforeAll(async () => {
  world = await World.begin();
  token = await world.token('headquarters');
  const [aigul, timur] = [await world.device('Aigul'), await world.device('Timur')];
  const shared = await aigul.log('contacted', 'Both were at this door.');
  for (let number = 0; number < 3; number += 1) await aigul.log('nobody_home', `Visit ${number}`);
  await aigul.sync();
  await timur.sync();
  await aigul.edit(shared, '--outcome', 'refused');
  await timur.edit(shared, '--outcome', 'moved');
  await aigul.sync();
  await timur.sync();
});

test.afterAll(() => world.end());

/** The file that a button of the dialog brings. */
async function saved(page: Page, name: RegExp): Promise<string> {
  const download = page.waitForEvent('download');
  await page.getByRole('dialog').getByRole('button', { name }).click();
  return (await readFile(await (await download).path())).toString('utf8');
}

async function given(path: string): Promise<string> {
  const answer = await fetch(`${world.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer()).toString('utf8');
}

for (const [locale, title, csv, heading, codes] of [
  ['ru', 'Выгрузить', /^CSV — таблица/, 'Участок', 'только коды, для программ'],
  ['kk', 'Жүктеп алу', /^CSV — кесте/, 'Учаске', 'тек кодтар, бағдарламалар үшін'],
  ['en', 'Export', /^CSV, a table/, 'Beat', 'codes only, for programs'],
] as const) {
  test(`every list is exported in the console's language, or as codes: ${locale}`, async ({ page }) => {
    await signIn(page, world, token, locale);
    for (const [path, address] of [
      ['/visits', '/v1/export.csv?'],
      ['/coverage', '/v1/coverage.csv?'],
      ['/places', '/v1/places.csv?'],
      ['/devices', '/v1/devices.csv?'],
      ['/conflicts', '/v1/conflicts.csv?'],
    ] as const) {
      await page.goto(`${world.url}${path}`);
      await page.getByRole('button', { name: title, exact: true }).click();
      await expect(page.getByRole('dialog').getByRole('combobox')).toHaveValue(locale);
      const read = await saved(page, csv);
      expect(read.split('\r\n')[0], path).toContain(path === '/devices' ? { ru: 'Участки', kk: 'Учаскелер', en: 'Beats' }[locale] : heading);
      await page.getByRole('dialog').getByRole('combobox').selectOption({ label: codes });
      const data = await saved(page, csv);
      expect(data.split('\r\n')[0], path).not.toContain(heading);
      const names = data.slice(1).split('\r\n')[0]?.split(',') ?? [];
      // What the page filters by is in the file's filter: both have as many rows.
      if (path === '/visits' || path === '/devices' || path === '/conflicts') {
        expect(read).toBe(await given(`${address}language=${locale}`));
        expect(data).toBe(await given(address));
      }
      expect(names.every((name) => /^[a-z_]+$/.test(name))).toBe(true);
      await page.keyboard.press('Escape');
    }
  });
}

test('the dialog says how many visits will come, and is within reach of everybody', async ({ page }) => {
  await signIn(page, world, token);
  await page.goto(`${world.url}/visits?outcome=nobody_home`);
  await expect(page.getByText('3 visits', { exact: true })).toBeVisible();
  await page.keyboard.press('e');
  await expect(page.getByRole('dialog').getByText('3 visits', { exact: true })).toBeVisible();
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
});

test('more visits than a sheet holds are said before they are asked for, and a list without an end is counted', async ({
  page,
}) => {
  await page.route('**/v1/visits?**', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), next: 'bW9yZQ' } });
  });
  await page.route('**/v1/visits/count*', (route) => route.fulfill({ json: { visits: 1_200_345 } }));
  await signIn(page, world, token);
  await expect(page.getByText('1,200,345 visits', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByText('A sheet of Excel holds 1,048,575 rows.', { exact: false })).toBeVisible();
  await expect(dialog.getByRole('button', { name: /^XLSX/ })).toBeDisabled();
  await expect(dialog.getByRole('button', { name: /^CSV, a table/ })).toBeEnabled();
});
