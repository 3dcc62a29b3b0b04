// A supervisor's morning: ten conflicts and three held entries of their beats, and no visit opened.
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { World, signIn, type Device } from './world.ts';

const CONFLICTS = 10;

let world: World;
let supervisor: string;
let aigul: Device;
let timur: Device;

test.beforeAll(async () => {
  test.setTimeout(240_000);
  world = await World.begin();
  supervisor = await world.token('supervisor', 'beat-01');
  [aigul, timur] = [await world.device('Aigul'), await world.device('Timur')];
  const [lost, far, alsoFar] = [
    await world.device('Lost'),
    await world.device('Far', 'beat-02'),
    await world.device('Also far', 'beat-02'),
  ];
  const visits: string[] = [];
  for (let place = 0; place < CONFLICTS; place += 1)
    visits.push(await aigul.log('contacted', `Visit ${place}.`, place));
  const elsewhere = await far.log('contacted', 'Of another post.', 0);
  for (const device of [aigul, timur, far, alsoFar, lost]) await device.sync();
  for (const visit of visits) {
    await aigul.edit(visit, '--outcome', 'refused');
    await timur.edit(visit, '--outcome', 'moved');
  }
  await far.edit(elsewhere, '--outcome', 'refused');
  await alsoFar.edit(elsewhere, '--outcome', 'moved');
  await world.revoke('Lost');
  for (const [at, words] of ['Hers.', 'Not hers.', 'Hers as well.'].entries())
    await lost.log('contacted', words, at);
  for (const device of [aigul, timur, far, alsoFar]) await device.sync();
  await lost.sync().catch(() => undefined);
});

test.afterAll(() => world.end());

const cards = (page: Page) => page.getByRole('article');

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
}

test('ten conflicts and three held entries are settled from their queues, and no visit is opened', async ({
  page,
}) => {
  test.setTimeout(180_000);
  const opened: string[] = [];
  page.on('request', (request) => {
    if (/\/v1\/visits\/[0-9a-f-]{36}$/.test(new URL(request.url()).pathname)) opened.push(request.url());
  });
  await signIn(page, world, supervisor);
  await page.goto(world.url);
  const waiting = (name: string) => page.getByRole('region', { name, exact: true });
  // What is disputed in another post is no matter of theirs.
  await expect(waiting('Conflicts').locator('strong')).toHaveText(String(CONFLICTS));
  await expect(waiting('Quarantine').locator('strong')).toHaveText('3');
  await waiting('Conflicts').getByRole('link').first().focus();
  await page.keyboard.press('Enter');

  await expect(cards(page)).toHaveCount(CONFLICTS);
  // Five by keys alone: to the first one, the second value of each; the next comes to where the focus is.
  await page.keyboard.press('j');
  for (let left = CONFLICTS - 1; left >= 5; left -= 1) {
    const group = page.locator('main [data-stop]:focus');
    await expect(group).toHaveCount(1);
    const address = await group.getAttribute('aria-label');
    await page.keyboard.press('2');
    await expect(cards(page)).toHaveCount(left);
    await expect(group).toHaveCount(1);
    expect(await group.getAttribute('aria-label')).not.toBe(address);
  }
  await expectAccessible(page);
  // One was a slip: it is taken back, found again, and settled otherwise.
  await page.keyboard.press('Control+z');
  await expect(page.getByText(/^Taken back/)).toBeVisible();
  await expect(cards(page)).toHaveCount(6);
  const again = cards(page).filter({ hasText: 'The choice was taken back' });
  await page.keyboard.press('k');
  await again
    .getByRole('button', { name: /^Keep this/ })
    .first()
    .focus();
  await page.keyboard.press('Enter');
  await expect(cards(page)).toHaveCount(5);
  await expect(page.locator('main [data-stop]:focus')).toHaveCount(1);
  // The others by hand.
  for (let left = 4; left >= 0; left -= 1) {
    await cards(page).first().getByRole('button', { name: 'Keep this: moved' }).click();
    await expect(cards(page)).toHaveCount(left);
  }
  await expect(page.getByText('No conflicts')).toBeVisible();
  // Whoever works by keys is not thrown to the beginning of the page.
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();

  await page.getByRole('link', { name: 'Quarantine', exact: true }).focus();
  await page.keyboard.press('Enter');
  await expect(cards(page)).toHaveCount(3);
  const dialog = page.getByRole('dialog');
  await page.keyboard.press('j');
  await expect(cards(page).filter({ hasText: 'Hers.' }).first()).toBeFocused();
  await page.keyboard.press('r');
  await expect(dialog.getByRole('heading')).toHaveText('Release this entry?');
  await expectAccessible(page);
  // A dialog that is left without a decision gives the focus back.
  await dialog.getByRole('button', { name: 'Cancel' }).focus();
  await page.keyboard.press('Enter');
  await expect(dialog).toHaveCount(0);
  await page.keyboard.press('r');
  await dialog.getByRole('button', { name: 'Release' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByText('1 entry released.')).toBeVisible();
  await expect(cards(page)).toHaveCount(2);

  await expect(cards(page).first()).toBeFocused();
  await page.keyboard.press('n');
  await expect(dialog.getByRole('button', { name: 'Reject' })).toBeDisabled();
  await dialog.getByRole('textbox').focus();
  await page.keyboard.type('Not her words, j k r n 1 2.');
  await dialog.getByRole('button', { name: 'Reject' }).focus();
  await page.keyboard.press('Enter');
  await expect(cards(page)).toHaveCount(1);

  await expect(cards(page).first()).toBeFocused();
  await page.keyboard.press('x');
  await expect(cards(page).getByRole('checkbox')).toBeChecked();
  const bar = page.getByRole('group', { name: 'Decide about several at once' });
  await expect(bar).toContainText('1 chosen');
  await bar.getByRole('button', { name: 'Release the chosen' }).focus();
  await page.keyboard.press('Enter');
  await dialog.getByRole('textbox').fill('Asked her by telephone.');
  await dialog.getByRole('button', { name: 'Release' }).click();
  await expect(page.getByText('Quarantine is empty')).toBeVisible();
  await page.getByRole('link', { name: 'Rejected' }).click();
  await expect(cards(page)).toHaveCount(1);
  await expect(cards(page)).toContainText('Not her words, j k r n 1 2.');
  expect(opened).toEqual([]);

  await page.goto(world.url);
  for (const name of ['Conflicts', 'Quarantine'])
    await expect(waiting(name).getByText('nothing waits')).toBeVisible();
  // Both phones have what was decided.
  await timur.sync();
  expect((await timur.visits()).match(/"outcome":\s*"moved"/g) ?? []).not.toHaveLength(0);
});

test('the keys are told where they work, and write letters where somebody writes', async ({ page }) => {
  await signIn(page, world, supervisor);
  for (const [path, keys] of [
    ['/conflicts', ['J K', '1 2', 'Ctrl+Z']],
    ['/quarantine', ['J K', 'X', 'R', 'N']],
  ] as const) {
    await page.goto(world.url + path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await page.keyboard.press('?');
    const dialog = page.getByRole('dialog', { name: 'Keys' });
    for (const key of keys)
      for (const one of key.split(' ')) await expect(dialog.getByText(one, { exact: true })).toBeVisible();
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    const beat = page.getByRole('combobox', { name: 'Beat' });
    await beat.focus();
    await page.keyboard.type('jk12?');
    await expect(beat).toHaveValue('jk12?');
    await expect(dialog).toHaveCount(0);
  }
});
