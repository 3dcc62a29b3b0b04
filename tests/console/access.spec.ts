import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Browser, type Page } from '@playwright/test';
import { World, signIn, type Device } from './world.ts';

// They tell one story: each begins where the one before has ended.
test.describe.configure({ mode: 'serial' });

let world: World;
let token: string;
let aigul: Device;
let supervisor: string;

test.beforeAll(async () => {
  world = await World.begin();
  token = await world.token('administrator');
  aigul = await world.device('Aigul');
  const timur = await world.device('Timur', 'beat-03');
  await aigul.log('contacted', 'Of the first beat.');
  await timur.log('contacted', 'Of the third beat.');
  await aigul.sync();
  await timur.sync();
});

test.afterAll(() => world.end());

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(wider).toBeLessThanOrEqual(0);
}

/** A page of somebody else, in a browser of their own. */
async function pageOf(browser: Browser, token: string): Promise<Page> {
  const page = await browser.newPage();
  await signIn(page, world, token);
  return page;
}

test('a token is made within a beat by keys alone, and is shown once', async ({ page }) => {
  await signIn(page, world, token);
  await page.getByRole('link', { name: 'Access' }).click();
  await expect(page.getByRole('heading', { name: 'Access', exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'New token' }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('For whom').focus();
  await page.keyboard.type('Supervisor of the post');
  await expect(dialog.getByRole('button', { name: 'Make the token' })).toBeDisabled();
  await dialog.getByRole('checkbox', { name: /beat-01/ }).focus();
  await page.keyboard.press('Space');
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Make the token' }).focus();
  await page.keyboard.press('Enter');
  const shown = dialog.getByLabel('Token of Supervisor of the post');
  await expect(shown).toHaveValue(/^aralau_/);
  supervisor = await shown.inputValue();
  await dialog.getByRole('button', { name: 'Copy' }).click();
  await expect(dialog.getByText(/Copied|press Ctrl\+C/)).toBeVisible();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Close' }).click();
  const row = page.getByRole('row', { name: /Supervisor of the post/ });
  await expect(row).toContainText('Участок № 1');
  await expect(row).toContainText('valid');
  await expect(page.getByText(supervisor)).toHaveCount(0);
});

test('who is limited reads their beats, and is offered no more', async ({ browser }) => {
  const page = await pageOf(browser, supervisor);
  await expect(page.getByText('Supervisor, 1 beat')).toBeVisible();
  const rows = page.getByRole('grid').locator('[role=row][aria-selected]');
  await expect(rows).toHaveCount(1);
  await expect(page.getByRole('link', { name: 'Access' })).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Export' })).toBeVisible();
  await page.goto(`${world.url}/coverage`);
  await expect(page.getByRole('table').getByText('Участок № 1').first()).toBeVisible();
  await expect(page.getByText('Участок № 3')).toHaveCount(0);
  await page.goto(`${world.url}/devices`);
  await expect(page.getByRole('row', { name: /Aigul/ })).toBeVisible();
  await expect(page.getByRole('row', { name: /Timur/ })).toHaveCount(0);
  await page.goto(`${world.url}/tokens`);
  await expect(page.getByRole('button', { name: 'New token' })).toHaveCount(0);
  await page.close();
});

test('a token that has ended lets nobody in, and signs out whoever it let in', async ({ page, browser }) => {
  const other = await pageOf(browser, supervisor);
  await signIn(page, world, token);
  await page.goto(`${world.url}/tokens`);
  const row = page.getByRole('row', { name: /Supervisor of the post/ });
  await row.getByRole('button', { name: /End/ }).click();
  await expectAccessible(page);
  await page.getByRole('dialog').getByRole('button', { name: 'End' }).click();
  await expect(row).toContainText('ended');
  await expect(row.getByRole('button')).toHaveCount(0);
  await other.getByRole('link', { name: 'Quarantine' }).click();
  await expect(other.getByText(/Your session has ended/)).toBeVisible();
  await other.close();
});

test('after a restore devices wait to be confirmed, one by one or all', async ({ page, browser }) => {
  await world.device('Bolat', 'beat-02');
  await world.restore();
  token = await world.token('administrator');
  await signIn(page, world, token);
  await page.goto(`${world.url}/devices`);
  const waits = page.getByRole('region', { name: 'Devices wait to be confirmed' });
  await expect(waits).toBeVisible();
  const row = (name: string) => page.getByRole('row', { name: new RegExp(name) });
  for (const name of ['Aigul', 'Timur', 'Bolat']) await expect(row(name)).toContainText('waits to be confirmed');
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 800 });
    await expectAccessible(page);
  }
  await page.setViewportSize({ width: 1280, height: 800 });

  const auditor = await pageOf(browser, await world.token('auditor'));
  await auditor.goto(`${world.url}/devices`);
  await expect(auditor.getByRole('region', { name: 'Devices wait to be confirmed' })).toBeVisible();
  await expect(auditor.getByRole('button', { name: /Confirm|Revoke/ })).toHaveCount(0);
  await auditor.close();

  await row('Aigul').getByRole('button', { name: /Confirm/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Confirm' }).click();
  await expect(page.getByText('The device of Aigul is confirmed.')).toBeVisible();
  await expect(row('Aigul')).not.toContainText('waits');
  await aigul.log('contacted', 'After the restore.', 1);
  await aigul.sync();

  await waits.getByRole('button', { name: 'Confirm all' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Confirm all' }).click();
  await expect(page.getByText('2 devices confirmed.')).toBeVisible();
  await expect(waits).toHaveCount(0);
});
