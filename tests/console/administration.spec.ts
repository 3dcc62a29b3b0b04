// A ministry's administrator has a browser, a workbook, and nothing else.
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Locator, type Page } from '@playwright/test';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { World, signIn, type Device } from './world.ts';
import { workbook } from './xlsx.ts';

// They tell one story: each begins where the one before has ended.
test.describe.configure({ mode: 'serial', timeout: 180_000 });

let world: World;
let token: string;
let bolat: Device;

const PICTURES = process.env['ARALAU_PICTURES'];

test.beforeAll(async () => {
  world = await World.empty();
  token = await world.token('administrator');
});

test.afterAll(() => world.end());

function organisation(secondBeat: string) {
  return {
    name: 'organisation.xlsx',
    mimeType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    buffer: workbook({
      Участки: [
        ['Код', 'Название'],
        ['101', 'Участок № 101'],
        ['102', 'Участок № 102'],
      ],
      Адреса: [
        ['Участок', 'Адрес', 'Тип', 'Примечание'],
        ['101', 'ул. Абая, 1', 'Квартира', 'домофон'],
        [secondBeat, 'ул. Абая, 2', '', ''],
        ['102', 'ул. Сатпаева, 5', '', ''],
      ],
      Сотрудники: [
        ['ФИО', 'Участок'],
        ['Ахметов Болат', '101'],
      ],
    }),
  };
}

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(wider).toBeLessThanOrEqual(0);
}

/** The same at every width that is promised, and as it looks there. */
async function expectAccessibleEverywhere(page: Page, name: string): Promise<void> {
  for (const width of [390, 768, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    await expectAccessible(page);
    if (PICTURES) await page.screenshot({ path: join(PICTURES, `${name}-${width}.png`), fullPage: true });
  }
  if (!PICTURES) return;
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.screenshot({ path: join(PICTURES, `${name}-dark.png`), fullPage: true });
  await page.emulateMedia({ colorScheme: 'light' });
}

async function openOrganisation(page: Page): Promise<Locator> {
  await signIn(page, world, token);
  await page.getByRole('link', { name: 'Organisation' }).click();
  await expect(page.getByRole('heading', { name: 'Organisation', exact: true })).toBeVisible();
  return page.locator('input[type=file]');
}

/** A code for a phone, as the dialog shows it. */
async function shownCode(dialog: Locator): Promise<string> {
  await expect(dialog.getByText('Scan with the phone')).toBeVisible();
  return (await dialog.locator('dd.mono').last().textContent()) ?? '';
}

test('a workbook with a fault is shown as one, corrected, and loaded', async ({ page }) => {
  const file = await openOrganisation(page);
  await expect(page.getByText('No beats yet')).toBeVisible();
  await file.setInputFiles(organisation('120'));
  const plan = page.getByRole('group', { name: 'What would change' });
  const row = plan.getByRole('row', { name: /Адреса · row 3/ });
  await expect(row).toContainText('Участок');
  await expect(row).toContainText('120');
  await expect(row).toContainText('there is no such beat');
  await expect(page.getByRole('button', { name: 'Load it' })).toHaveCount(0);
  await expectAccessibleEverywhere(page, 'faults');
  await page.getByLabel('Language').selectOption('ru');
  await expect(page.getByText('Такого участка нет. Внесите его в лист участков или исправьте код.')).toBeVisible();
  await expect(page.getByText('Имелось в виду «102»?')).toBeVisible();
  await expectAccessibleEverywhere(page, 'faults-ru');
  await page.getByLabel('Язык').selectOption('en');

  await file.setInputFiles(organisation('101'));
  await expect(plan.getByText('ул. Абая, 2 · 101')).toBeVisible();
  await expect(plan.getByText('Columns not read: Примечание.')).toBeVisible();
  await expect(plan.locator('summary', { hasText: 'New beats' })).toContainText('2');
  await expect(page.getByText('No beats yet'), 'nothing is written yet').toBeVisible();
  await expectAccessibleEverywhere(page, 'plan');
  await plan.getByRole('button', { name: 'Load it' }).click();
  await expect(page.getByText('Loaded. New: 2 beats, 3 places, 1 person.')).toBeVisible();
  await expect(page.getByRole('row', { name: /Ахметов Болат/ })).toContainText('Участок № 101');
  await expectAccessibleEverywhere(page, 'loaded');

  await file.setInputFiles(organisation('101'));
  await expect(plan.getByText('Everything is like this already')).toBeVisible();
  await expect(plan.getByRole('button', { name: 'Load it' })).toHaveCount(0);
});

test('what is no table is refused, and says what to do', async ({ page }) => {
  const file = await openOrganisation(page);
  const mimeType = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
  const hand = (buffer: Buffer) => file.setInputFiles({ name: 'organisation.xlsx', mimeType, buffer });
  await hand(Buffer.from('%PDF-1.7\n\u0001\u0002'));
  await expect(page.getByRole('row', { name: /a PDF, which holds no table/ })).toBeVisible();
  await hand(Buffer.alloc(0));
  await expect(page.getByRole('row', { name: /the file is empty/ })).toBeVisible();
  await hand(Buffer.from('PK\u0003\u0004 and nothing else'));
  await expect(page.getByRole('row', { name: /the workbook is damaged/ })).toBeVisible();
  const large = join(world.folder, 'large.xlsx');
  const handle = await open(large, 'w');
  await handle.truncate(100 * 1024 * 1024);
  await handle.close();
  await file.setInputFiles(large);
  await expect(page.getByRole('alert')).toContainText('The file is larger than 16 MB');
  await rm(large);
  await expect(page.getByRole('button', { name: 'Load it' })).toHaveCount(0);
});

test('a plan that has become another is shown anew, and nothing is done before', async ({ page }) => {
  const file = await openOrganisation(page);
  const text = 'name,beat\nОспанова Дана,102\n';
  await file.setInputFiles({ name: 'staff.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
  const plan = page.getByRole('group', { name: 'What would change' });
  await expect(plan.locator('summary', { hasText: 'New people' })).toBeVisible();
  // Meanwhile, at the server itself.
  await world.code('Оспанова Дана', '101');
  await plan.getByRole('button', { name: 'Load it' }).click();
  await expect(page.getByText('The organisation has changed since you looked.')).toBeVisible();
  await expect(plan.locator('summary', { hasText: 'New people' })).toHaveCount(0);
  await expect(plan.locator('summary', { hasText: 'Beats given' })).toBeVisible();
  await plan.getByRole('button', { name: 'Load it' }).click();
  await expect(page.getByText(/^Loaded\./)).toBeVisible();
  await expect(page.getByRole('row', { name: /Оспанова Дана/ })).toContainText('Участок № 102');
});

test('two people enroll their phones, and a visit arrives', async ({ page }) => {
  await signIn(page, world, token);
  await page.getByRole('link', { name: 'Devices' }).click();
  await page.getByRole('button', { name: 'Enroll a phone' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Whose phone').selectOption({ label: 'Ахметов Болат · 101' });
  await dialog.getByRole('button', { name: 'Show the code' }).click();
  bolat = await world.enroll('bolat', await shownCode(dialog));

  // Somebody who looks like one who is known, and is not.
  await dialog.getByRole('button', { name: 'Somebody new' }).click();
  await dialog.getByLabel('Name').fill('Ахметова Болат');
  await dialog.getByRole('checkbox', { name: /102/ }).check();
  await dialog.getByRole('button', { name: 'Show what changes' }).click();
  await expect(dialog.getByText('Is this one of them?')).toBeVisible();
  await expect(dialog.getByRole('button', { name: 'Ахметов Болат', exact: true })).toBeVisible();
  await expectAccessibleEverywhere(page, 'namesake');
  await dialog.getByLabel('Name').fill('Сейтова Айгүл');
  await dialog.getByRole('button', { name: 'Show what changes' }).click();
  await dialog.getByRole('button', { name: 'Add and show the code' }).click();
  const aigul = await world.enroll('aigul', await shownCode(dialog));
  await expect(dialog.getByLabel('Whose phone')).toContainText('Сейтова Айгүл');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect(page.getByRole('row', { name: /Сейтова Айгүл/ })).toBeVisible();

  await bolat.log('contacted', 'The first visit of all.');
  await bolat.sync();
  await aigul.sync();
  await page.getByRole('link', { name: 'History' }).click();
  await expect(page.getByRole('grid').getByText('Ахметов Болат')).toBeVisible();
});

test('a place is corrected, another added and withdrawn, and the phone learns of it', async ({ page }) => {
  await signIn(page, world, token);
  await page.getByRole('link', { name: 'Places' }).click();
  const dialog = page.getByRole('dialog');
  await page.getByRole('button', { name: /^Correct.*Абая, 2$/ }).click();
  await dialog.getByLabel('Address').fill('ул. Абая, 2а');
  await dialog.getByLabel('Latitude').fill('143');
  await dialog.getByLabel('Longitude').fill('76.9');
  await dialog.getByRole('button', { name: 'Show what changes' }).click();
  await expect(dialog.getByText(/lat is from -90 to 90/)).toBeVisible();
  await dialog.getByLabel('Latitude').fill('43.25');
  await dialog.getByRole('button', { name: 'Show what changes' }).click();
  await expect(dialog.getByText(/Address: ул. Абая, 2 → ул. Абая, 2а/)).toBeVisible();
  await expectAccessibleEverywhere(page, 'place');
  await dialog.getByRole('button', { name: 'Correct' }).click();
  await expect(page.getByText('ул. Абая, 2а is corrected.')).toBeVisible();
  await expect(page.getByRole('row', { name: /ул. Абая, 2а/ })).toBeVisible();

  await page.getByRole('button', { name: 'Add a place' }).click();
  await dialog.getByLabel('Beat').selectOption('101');
  await dialog.getByLabel('Address').fill('пр. Мира, "новый" дом, 7');
  await dialog.getByRole('button', { name: 'Show what changes' }).click();
  await dialog.getByRole('button', { name: 'Add a place' }).click();
  await expect(page.getByRole('row', { name: /"новый" дом, 7/ })).toBeVisible();
  await bolat.sync();
  expect(await bolat.addresses()).toContain('новый');
  await page.getByRole('button', { name: /^Withdraw.*Мира/ }).click();
  await dialog.getByRole('button', { name: 'Show what changes' }).click();
  await expect(dialog.getByText('Withdrawn places')).toBeVisible();
  await dialog.getByRole('button', { name: 'Withdraw' }).click();
  await expect(page.getByRole('row', { name: /"новый" дом, 7/ })).toHaveCount(0);
  await expectAccessibleEverywhere(page, 'places');

  await bolat.sync();
  const known = await bolat.addresses();
  expect(known).toContain('ул. Абая, 2а');
  expect(known).toMatch(/новый.*"status":"withdrawn"/);
});

test('a beat is renamed and taken away, by keys alone, and the phone is told', async ({ page }) => {
  await openOrganisation(page);
  const dialog = page.getByRole('dialog');
  await page.getByRole('button', { name: /^Rename.*№ 102$/ }).focus();
  await page.keyboard.press('Enter');
  await dialog.getByLabel('Name').fill('Участок № 102, северный');
  await page.keyboard.press('Enter');
  await expect(dialog.getByText(/→ Участок № 102, северный/)).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('row', { name: /Участок № 102, северный/ }).first()).toBeVisible();

  expect(JSON.stringify(await bolat.status())).toContain('"code":"101"');
  const row = page.getByRole('row', { name: /Ахметов Болат/ });
  await row.getByRole('button', { name: /Change beats/ }).focus();
  await page.keyboard.press('Enter');
  await dialog.getByRole('checkbox', { name: /101/ }).focus();
  await page.keyboard.press('Space');
  await dialog.getByRole('button', { name: 'Show what changes' }).focus();
  await page.keyboard.press('Enter');
  await expect(dialog.getByText('Beats taken')).toBeVisible();
  await expectAccessibleEverywhere(page, 'taken');
  await expect(dialog.getByRole('button', { name: 'Change beats' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(row).toContainText('—');
  await bolat.sync();
  expect(JSON.stringify(await bolat.status())).not.toContain('"code":"101"');
});

test('who may not load is offered nothing, and refused', async ({ browser }) => {
  for (const role of ['auditor', 'headquarters'] as const) {
    const page = await browser.newPage();
    await signIn(page, world, await world.token(role));
    await expect(page.getByRole('link', { name: 'Organisation' })).toHaveCount(0);
    await page.goto(`${world.url}/organisation`);
    await expect(page.getByRole('alert')).toContainText('Your role does not allow this.');
    await page.goto(`${world.url}/places`);
    await expect(page.getByRole('row', { name: /ул. Абая, 1/ })).toBeVisible();
    await expect(page.getByRole('button', { name: /Add a place|Correct|Withdraw/ })).toHaveCount(0);
    const refused = await page.evaluate(async () => {
      const paths = ['/v1/organisation/plans', '/v1/organisation/plans/00/apply'];
      const answers = paths.map((path) => fetch(path, { method: 'POST', body: 'code,name\nx,y\n' }));
      return Promise.all((await Promise.all(answers)).map(async (answer) => ((await answer.json()) as { code: string }).code));
    });
    expect(refused).toEqual(['forbidden', 'forbidden']);
    await page.close();
  }
});
