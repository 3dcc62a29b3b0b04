// Pictures of every page for the documentation: `ARALAU_SCREENSHOTS=1 npx playwright test screenshots`.
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { World, signIn } from './world.ts';
import { workbook } from './xlsx.ts';

const FOLDER = join(import.meta.dirname, '../../docs/images/console');
const NOTES = [
  'Жалоба на шум после 23:00, договорились о тишине.',
  'Көше жарығы үш күн бойы жанбайды, әкімдікке жолдадым.',
  'Дверь не открыли, оставил извещение.',
  'Просит помочь с регистрацией жильцов.',
];
const OUTCOMES = ['contacted', 'contacted', 'nobody_home', 'contacted', 'refused', 'no_access'];
const CONCERNS = ['noise', 'lighting'];
const PROMISE = 'Починить фонарь во дворе';
const DUE = ['2026-01-31', '2099-12-31'];
const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
const TABLES = workbook({
  Участки: [
    ['Код', 'Название'],
    ['beat-07', 'Участок № 7'],
  ],
  Адреса: [
    ['Участок', 'Адрес', 'Тип', 'Примечание'],
    ['beat-07', 'ул. Сейфуллина, 12', 'Квартира', ''],
    ['beat-07', 'ул. Сейфуллина, 14', 'Общежитие', ''],
    ['beat-01', 'ул. Абая, 3', 'Объект торговли', ''],
  ],
  Сотрудники: [
    ['ФИО', 'Участок'],
    ['Айгул Серикқызы', 'beat-07'],
  ],
});
const DAY_MS = 24 * 60 * 60 * 1000;

/** In front of a place of the sample's first beat, some metres off. */
function door(place: number, visit: number): number[] {
  const off = ((visit * 7) % 11) / 50_000;
  return [43.233 + (place % 8) * 0.0011 + off, 76.901 + Math.floor(place / 8) * 0.0015 - off, 5 + (visit % 4) * 6];
}

test.skip(!process.env['ARALAU_SCREENSHOTS'], 'pictures are made when asked for');

let world: World;
let token: string;
let visit: string;

test.beforeAll(async () => {
  test.setTimeout(240_000);
  world = await World.begin();
  token = await world.token('administrator');
  const [aigul, timur] = [await world.device('Айгүл Серікқызы'), await world.device('Тимур Ахметов', 'beat-01')];
  for (let index = 0; index < 36; index += 1) {
    const device = index % 3 === 0 ? timur : aigul;
    const at = new Date(Date.now() - (index * 1.7 + 0.1) * DAY_MS).toISOString();
    const place = index % 12;
    const logged = await device.log(OUTCOMES[index % 6] ?? '', NOTES[index % 4] ?? '', place, at, door(place, index));
    if (index % 4 < 2) await device.edit(logged, '--concern', CONCERNS[index % 4] ?? '');
    if (index % 9 === 0) await device.edit(logged, '--promise', PROMISE, '--due', DUE[index % 2] ?? '');
  }
  visit = await aigul.log('contacted', NOTES[0] ?? '', 1, undefined, door(1, 0));
  await aigul.sync();
  await timur.sync();
  await aigul.edit(visit, '--outcome', 'nobody_home');
  await timur.edit(visit, '--outcome', 'refused', '--note', NOTES[1] ?? '');
  await aigul.sync();
  await timur.sync();
});

test.afterAll(() => world.end());

async function settled(page: Page): Promise<void> {
  await expect(page.locator('h1')).toBeVisible();
  await expect(page.locator('.skeleton')).toHaveCount(0);
  await page.evaluate(() => document.fonts.ready);
  await page.waitForLoadState('load');
}

/** The picture of a map that shows its ground alone is smaller. */
const GROUND_BYTES = 35_000;

/** Nothing on the page tells when the card has drawn what it was given. */
async function drawn(page: Page): Promise<void> {
  await expect(async () => {
    expect((await page.locator('.map').screenshot()).length).toBeGreaterThan(GROUND_BYTES);
  }).toPass();
}

for (const locale of ['ru', 'kk', 'en']) {
  test(`every page in ${locale}`, async ({ page }) => {
    test.setTimeout(180_000);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    const shot = async (name: string) => {
      await settled(page);
      await page.screenshot({ path: join(FOLDER, `${name}.${locale}.png`) });
    };
    await page.addInitScript((chosen) => localStorage.setItem('aralau.locale', chosen), locale);
    await page.goto(world.url);
    await shot('sign-in');
    await signIn(page, world, token, locale);
    await expect(page.getByRole('grid')).toBeVisible();
    await shot('history');
    await page.goto(world.url);
    await shot('today');
    for (const [name, path] of [
      ['visit', `/visits/${visit}`],
      ['coverage', '/coverage'],
      ['places', '/places?standing=due'],
      ['repeat-problems', '/repeat-problems'],
      ['conflicts', '/conflicts'],
      ['quarantine', '/quarantine'],
      ['devices', '/devices'],
      ['tokens', '/tokens'],
      ['map', '/map'],
    ] as const) {
      await page.goto(world.url + path);
      if (name === 'map') await drawn(page);
      await shot(name);
    }
    await page.goto(`${world.url}/organisation`);
    await page.locator('input[type=file]').setInputFiles({ name: 'organisation.xlsx', mimeType: XLSX, buffer: TABLES });
    await expect(page.locator('.plan details').first()).toBeVisible();
    await shot('organisation');
    await page.goto(`${world.url}/visits/${visit}`);
    await settled(page);
    const receipt = page.getByRole('region').filter({ has: page.locator('#receipt') });
    await receipt.getByRole('button').click();
    await expect(receipt.getByRole('listitem').first()).toBeVisible();
    await receipt.screenshot({ path: join(FOLDER, `receipt.${locale}.png`) });
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(`${world.url}/visits`);
    await expect(page.getByRole('grid')).toBeVisible();
    await shot('history-phone');
    await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto(`${world.url}/visits/${visit}`);
    await shot('visit-dark');
  });
}
