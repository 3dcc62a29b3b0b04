// How headquarters works in the history: by keys of any layout, by words as they are typed, and back to where one was.
import { expect, test, type Page } from '@playwright/test';
import { World, signIn, type Device } from './world.ts';

let world: World;
let token: string;
let aigul: Device;

test.beforeAll(async () => {
  test.setTimeout(240_000);
  world = await World.begin();
  token = await world.token('administrator');
  aigul = await world.device('Aigul');
  for (let visit = 0; visit < 24; visit += 1) {
    const at = new Date(Date.now() - (visit + 1) * 3_600_000).toISOString();
    await aigul.log(visit % 2 ? 'refused' : 'contacted', `Нота ${visit}: шум во дворе.`, visit % 12, at);
  }
  await aigul.sync();
});

test.afterAll(() => world.end());

const rows = (page: Page) => page.getByRole('grid').locator('[role=row][aria-selected]');
const chosen = (page: Page) => page.getByRole('grid').locator('[role=row][aria-selected=true]');
const query = (page: Page) => new URL(page.url()).searchParams;

/** A key of a keyboard whose layout writes `key` where others have the letter of `code`. */
async function press(page: Page, key: string, code: string, shift = false): Promise<void> {
  const client = await page.context().newCDPSession(page);
  const event = { key, code, text: key, modifiers: shift ? 8 : 0 };
  await client.send('Input.dispatchKeyEvent', { type: 'keyDown', ...event });
  await client.send('Input.dispatchKeyEvent', { type: 'keyUp', ...event });
  await client.detach();
}

/** How thick the frames around the list and whatever has the focus are. */
function outline(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [document.querySelector('.frame'), document.activeElement].map((element) => {
      const { outlineStyle, outlineWidth } = element ? getComputedStyle(element) : { outlineStyle: 'none', outlineWidth: '' };
      return outlineStyle === 'none' ? 'none' : outlineWidth;
    }),
  );
}

test('the list has the keys from the start, and no frame around it until somebody comes by Tab', async ({ page }) => {
  await signIn(page, world, token);
  for (const load of [() => Promise.resolve(), () => page.reload()]) {
    await load();
    await expect(rows(page).first()).toBeVisible();
    await expect(page.getByRole('grid')).toBeFocused();
    expect(await outline(page)).toEqual(['none', 'none']);
    await page.keyboard.press('ArrowDown');
    await expect(chosen(page)).toHaveCount(1);
    expect(await outline(page)).toEqual(['none', 'none']);
  }
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('grid')).toBeFocused();
  expect((await outline(page))[0]).toBe('2px');
});

for (const [layout, j, k, e, slash, help] of [
  ['Russian', 'о', 'л', 'у', '.', ','],
  ['Kazakh', 'о', 'л', 'у', '№', '?'],
] as const) {
  test(`the keys are where they are on a ${layout} keyboard`, async ({ page }) => {
    await signIn(page, world, token);
    await expect(rows(page).first()).toBeVisible();
    for (let times = 0; times < 3; times += 1) await press(page, j, 'KeyJ');
    await press(page, k, 'KeyK');
    await expect(chosen(page)).toHaveAttribute('aria-rowindex', '3');
    await press(page, help, 'Slash', true);
    await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.locator('dialog')).toHaveCount(0);
    await press(page, e, 'KeyE');
    await expect(page.getByRole('dialog', { name: 'Export' })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.locator('dialog')).toHaveCount(0);
    await press(page, slash, 'Slash');
    const search = page.getByRole('searchbox');
    await expect(search).toBeFocused();
    await expect(search).toHaveValue('');
    await press(page, j, 'KeyJ');
    await expect(search).toHaveValue(j);
  });
}

for (const [way, back] of [
  ['the browser’s Back', (page: Page) => page.goBack()],
  ['the link to the history', (page: Page) => page.getByRole('link', { name: 'Back to history' }).click()],
  ['the link, after a reload', async (page: Page) => {
    await page.reload();
    await page.getByRole('link', { name: 'Back to history' }).click();
  }],
] as const) {
  test(`by ${way} one comes back to the filter and to the visit that was chosen`, async ({ page }) => {
    await page.setViewportSize({ width: 1280, height: 640 });
    await signIn(page, world, token);
    await page.goto(`${world.url}/visits?outcome=refused`);
    await expect(rows(page)).toHaveCount(12);
    for (let times = 0; times < 11; times += 1) await page.keyboard.press('j');
    await expect(chosen(page)).toBeInViewport({ ratio: 0.95 });
    const address = await chosen(page).getByRole('link', { includeHidden: true }).innerText();
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(/\/visits\//);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(address);
    await back(page);
    await expect(page).toHaveURL(/\/visits\?outcome=refused$/);
    await expect(chosen(page)).toHaveAttribute('aria-rowindex', '12');
    await expect(chosen(page)).toBeInViewport({ ratio: 0.95 });
    await expect(page.getByRole('grid')).toBeFocused();
    await page.keyboard.press('k');
    await expect(chosen(page)).toHaveAttribute('aria-rowindex', '11');

    // By hand as by keys.
    await chosen(page).getByRole('link', { includeHidden: true }).click();
    await expect(page).toHaveURL(/\/visits\//);
    await back(page);
    await expect(chosen(page)).toHaveAttribute('aria-rowindex', '11');

    // Another list begins at its top.
    await page.getByRole('combobox', { name: 'Outcome' }).selectOption('');
    await expect(rows(page).nth(12)).toBeAttached();
    await expect(chosen(page)).toHaveCount(0);
  });
}

test('words are searched for as they are typed, and Back does not go through every letter', async ({ page }) => {
  await signIn(page, world, token);
  await page.goto(`${world.url}/places`);
  await page.getByRole('link', { name: 'History' }).click();
  await expect(rows(page).first()).toBeVisible();
  await page.keyboard.press('/');
  await page.keyboard.type('Нота 7 ', { delay: 150 });
  await expect(rows(page)).toHaveCount(1);
  expect(query(page).get('text')).toBe('Нота 7');
  await expect(page.getByRole('searchbox')).toHaveValue('Нота 7 ');
  await expect(page.getByRole('searchbox')).toBeFocused();
  // What is typed but not asked for yet is not lost by another choice.
  await page.getByRole('searchbox').fill('двор');
  await page.getByRole('combobox', { name: 'Outcome' }).selectOption('refused');
  await expect(page).toHaveURL(/outcome=refused/);
  expect(query(page).get('text')).toBe('двор');
  await page.goBack();
  await page.goBack();
  await expect(page).toHaveURL(/\/places/);
});

test('Esc clears the filter, wherever the focus is', async ({ page }) => {
  await signIn(page, world, token);
  const cleared = async () => {
    await page.keyboard.press('Escape');
    await expect(page).toHaveURL(`${world.url}/visits`);
    await expect(rows(page).first()).toBeVisible();
    await expect(page.getByRole('searchbox')).toHaveValue('');
  };
  await page.goto(`${world.url}/visits?outcome=refused`);
  await expect(rows(page)).toHaveCount(12);
  await cleared();
  await page.goto(`${world.url}/visits?outcome=refused`);
  await expect(rows(page)).toHaveCount(12);
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await cleared();
  await page.goto(`${world.url}/visits?text=ничего`);
  await expect(page.getByText('No visits pass this filter')).toBeVisible();
  await cleared();
  await page.keyboard.press('/');
  await page.keyboard.type('Нота 7');
  await expect(rows(page)).toHaveCount(1);
  await cleared();
  await expect(page.getByRole('searchbox')).toBeFocused();
  // Before it was asked for.
  await page.keyboard.type('Нота');
  await cleared();

  // What is open is closed first.
  await page.goto(`${world.url}/visits?outcome=refused`);
  await expect(rows(page)).toHaveCount(12);
  await page.keyboard.press('?');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  const beat = page.getByRole('combobox', { name: 'Beat' });
  await beat.click();
  await beat.press('Escape');
  expect(query(page).get('outcome')).toBe('refused');
  await cleared();
});

test('a file is named by the day of the deployment', async ({ page }) => {
  await page.clock.setFixedTime('2026-11-28T20:00:00Z');
  await signIn(page, world, token);
  await page.getByRole('button', { name: 'Export' }).click();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'CSV, a table' }).click();
  expect((await download).suggestedFilename()).toBe('visits-2026-11-29.csv');
});

for (const locale of ['ru', 'kk']) {
  test(`a period that makes no sense is told of once, and in ${locale}`, async ({ page }) => {
    await signIn(page, world, token, locale);
    const alerts = page.getByRole('main').getByRole('alert').filter({ visible: true });
    for (const [path, width] of [
      ['/visits?from=2026-05-02&to=2026-05-01', 1280],
      ['/visits?from=2026-05-02&to=2026-05-01', 390],
      ['/map?from=2026-05-02&to=2026-05-01', 1280],
      ['/coverage?from=2026-05-02&to=2026-05-01', 1280],
      ['/places?from=2026-05-02&to=2026-05-01', 1280],
      ['/repeat-problems?from=2026-05-02&to=2026-05-01', 1280],
      ['/coverage?bucket=day&from=2020-01-01', 1280],
      ['/coverage?from=2000-01-01', 1280],
      ['/places?from=2000-01-01', 390],
      ['/repeat-problems?from=2000-01-01', 1280],
    ] as const) {
      await page.setViewportSize({ width, height: 844 });
      const asked: string[] = [];
      page.on('response', (answer) => {
        if (answer.status() === 400) asked.push(answer.url());
      });
      await page.goto(world.url + path);
      await expect(page.locator('h1')).toBeVisible();
      await expect(alerts, path).toHaveCount(1);
      await page.waitForLoadState('networkidle').catch(() => undefined);
      await expect(alerts, path).toHaveCount(1);
      expect(await page.getByRole('main').innerText(), path).not.toMatch(/\b(period|from:|to:|at most|begins)\b/);
      expect(asked, path).toEqual([]);
      // Nothing is shown as if it were of that period.
      await expect(page.locator('main').locator('[role=grid], table')).toHaveCount(0);
    }
    // Whatever else the server does not understand is said in the reader's language alone.
    await page.goto(`${world.url}/visits?beat=${'я'.repeat(190)}`);
    expect(await page.getByRole('main').innerText()).not.toMatch(/[a-z]{4,} [a-z]{2,}/);
  });
}
