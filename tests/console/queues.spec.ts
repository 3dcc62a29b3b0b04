// Ten conflicts and three held entries, settled without opening a visit.
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { World, signIn, type Device } from './world.ts';

// They tell one story: each begins where the one before has ended.
test.describe.configure({ mode: 'serial' });

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-/;
const NOTE = 'Шум после 23:00.';

let world: World;
let token: string;
let aigul: Device;
let timur: Device;
let addresses: Map<string, string>;
/** The visit whose conflict is settled. */
let settled: string;

async function conflict(visit: string, aigulSays: string, timurSays: string): Promise<void> {
  await aigul.edit(visit, '--outcome', aigulSays);
  await timur.edit(visit, '--outcome', timurSays);
}

test.beforeAll(async () => {
  test.setTimeout(240_000);
  world = await World.begin();
  token = await world.token('administrator');
  aigul = await world.device('Айгүл');
  timur = await world.device('Тимур');
  const [far, lost] = [await world.device('Бекзат', 'beat-02'), await world.device('Ғани')];
  const listed = (await (
    await fetch(`${world.url}/v1/places?limit=1000`, { headers: { authorization: `Bearer ${token}` } })
  ).json()) as { places: { id: string; address: string }[] };
  addresses = new Map(listed.places.map(({ id, address }) => [id, address]));
  const visits: string[] = [];
  for (let place = 0; place < 3; place += 1) visits.push(await aigul.log('contacted', NOTE, place, '2026-05-12T09:30:00Z'));
  settled = visits[0] ?? '';
  await aigul.sync();
  await timur.sync();
  for (const visit of visits) await conflict(visit, 'refused', 'moved');
  await aigul.sync();
  await timur.sync();
  await aigul.sync();

  // What two shut-out devices wrote: one of a visit that is there, and one of two that are not.
  const known = await far.log('contacted', 'Before it was lost.', 0);
  await far.sync();
  await lost.sync();
  await world.revoke('Ғани');
  await world.revoke('Бекзат');
  await far.edit(known, '--outcome', 'moved');
  const edited = await lost.log('contacted', 'Of the lost phone.', 4);
  await lost.edit(edited, '--promise', 'Починить фонарь', '--due', '2026-12-31');
  await lost.log('refused', 'Another one of it.', 5);
  await far.sync().catch(() => undefined);
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

test('a held entry is told in words: where, when, and a link only where something is behind it', async ({ page }) => {
  await signIn(page, world, token, 'kk');
  await page.goto(`${world.url}/quarantine`);
  await expect(cards(page)).toHaveCount(4);
  expect(await page.getByRole('main').innerText()).not.toMatch(ID);
  await expect(cards(page).filter({ hasText: 'Of the lost phone.' }).getByRole('heading')).toHaveText(
    addresses.get(timur.places[4] ?? '') ?? '',
  );
  const promise = cards(page).filter({ hasText: 'Починить фонарь' });
  await expect(promise).toContainText('31.12.2026');
  await expect(promise).not.toContainText('2026-12-31');
  await expect(promise.getByRole('heading')).toHaveText(addresses.get(timur.places[4] ?? '') ?? '');
  expect(await promise.innerText()).toMatch(/\d{4}, \d{2}:\d{2} қабылданды/);
  await expect(promise.getByRole('link')).toHaveCount(0);
  // Of a visit that is there.
  const link = cards(page).filter({ hasText: 'Бекзат' }).getByRole('link');
  await link.click();
  await expect(page.getByRole('heading', { level: 1 })).not.toHaveText('');
  await expect(page.getByText('Before it was lost.').first()).toBeVisible();
});

test('conflicts show where, when and the notes, and are filtered by beat and field', async ({ page }) => {
  await signIn(page, world, token);
  await page.goto(`${world.url}/conflicts`);
  await expect(cards(page)).toHaveCount(3);
  await expect(page.getByText('3 wait')).toBeVisible();
  const first = cards(page).first();
  await expect(first.getByRole('heading', { level: 2 })).toHaveText(addresses.get(aigul.places[0] ?? '') ?? '');
  await expect(first).toContainText('12/05/2026, 14:30');
  await expect(first).toContainText(NOTE);
  await expectAccessible(page);
  await page.getByLabel('Field').selectOption({ label: 'Outcome · 3' });
  await expect(page).toHaveURL(/field=outcome/);
  await expect(cards(page)).toHaveCount(3);
  await page.goto(`${world.url}/conflicts?beat=beat-02`);
  await expect(page.getByText('Nothing passes this filter')).toBeVisible();
  await expect(page.getByText('none waits')).toBeVisible();
});

test('a settlement is taken back as long as its words are shown, and can be made anew', async ({ page }) => {
  await signIn(page, world, token);
  await page.goto(`${world.url}/conflicts`);
  const address = addresses.get(aigul.places[0] ?? '') ?? '';
  const card = cards(page).filter({ hasText: address });
  await expect(cards(page)).toHaveCount(3);
  const [shown, other] = (await card.locator('.value').allInnerTexts()).map((text) => text.trim());
  await card.getByRole('button', { name: `Keep this: ${other}` }).click();
  await expect(cards(page)).toHaveCount(2);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByText(`Taken back: ${shown}`)).toBeVisible();
  await expect(cards(page)).toHaveCount(3);
  await expect(card).toContainText('The choice was taken back');
  await expectAccessible(page);
  await card.getByRole('link', { name: address }).click();
  // What was written stays written.
  const timeline = page.getByRole('region', { name: 'History of changes' });
  await expect(timeline.getByText('Headquarters')).toHaveCount(2);
  await page.goBack();
  await card.getByRole('button', { name: `Keep this: ${other}` }).click();
  await expect(cards(page)).toHaveCount(2);
  await timur.sync();
  const line = (await timur.visits()).split('\n').find((one) => one.includes(timur.places[0] ?? '')) ?? '';
  expect(line).toContain(other === 'moved' ? '"moved"' : '"refused"');
});

test('what builds on a rejected entry says so, and goes in together with it', async ({ page }) => {
  await signIn(page, world, token);
  await page.goto(`${world.url}/quarantine?beat=beat-01`);
  await expect(cards(page)).toHaveCount(3);
  await cards(page).filter({ hasText: 'Of the lost phone.' }).getByRole('button', { name: 'Reject' }).click();
  await page.getByRole('dialog').getByRole('textbox').fill('Not hers.');
  await page.getByRole('dialog').getByRole('button', { name: 'Reject' }).click();
  await expect(cards(page)).toHaveCount(2);
  const promise = cards(page).filter({ hasText: 'Починить фонарь' });
  await expect(promise).toContainText('Builds on the rejected entry');
  await promise.getByRole('button', { name: 'Release' }).click();
  await expect(page.getByRole('dialog')).toContainText('becomes part of the visit with it');
  await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
  await expect(page.getByText('2 entries released.')).toBeVisible();
  await expect(cards(page)).toHaveCount(1);
});

test('many are released or rejected at once, with a reason', async ({ page }) => {
  const more = await world.device('Сауле');
  await more.sync();
  await world.revoke('Сауле');
  for (const place of [6, 7, 8]) await more.log('contacted', `Of Saule, ${place}.`, place);
  await more.sync().catch(() => undefined);
  await signIn(page, world, token);
  await page.goto(`${world.url}/quarantine`);
  await expect(cards(page)).toHaveCount(5);
  const bar = page.getByRole('group', { name: 'Decide about several at once' });
  await expect(bar.getByRole('button', { name: 'Release the chosen' })).toBeDisabled();
  for (const words of ['Another one of it.', 'Of Saule, 6.'])
    await cards(page).filter({ hasText: words }).getByRole('checkbox').check();
  await expect(bar).toContainText('2 chosen');
  await bar.getByRole('button', { name: 'Reject the chosen' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('button', { name: 'Reject' })).toBeDisabled();
  await dialog.getByRole('textbox').fill('Nobody knows this phone.');
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Reject' }).click();
  await expect(page.getByText('2 entries rejected.')).toBeVisible();
  await expect(cards(page)).toHaveCount(3);
  await page.getByLabel('Why held').selectOption({ index: 1 });
  await expect(page).toHaveURL(/reason=revoked/);
  await bar.getByRole('checkbox').first().check();
  await expect(bar).toContainText('3 chosen');
  await bar.getByRole('button', { name: 'Release the chosen' }).click();
  await dialog.getByRole('textbox').fill('Asked them by telephone.');
  await dialog.getByRole('button', { name: 'Release' }).click();
  await expect(page.getByText('3 entries released.')).toBeVisible();
  await page.getByRole('link', { name: 'Released' }).click();
  await expect(cards(page).filter({ hasText: 'Of Saule, 7.' })).toContainText('Asked them by telephone.');
});

test('all that pass are decided, also what no page has shown', async ({ page }) => {
  test.setTimeout(240_000);
  const many = await world.device('Жанар');
  await many.sync();
  await world.revoke('Жанар');
  for (let number = 0; number < 105; number += 1) await many.log('contacted', `Number ${number}.`, number % 12);
  await many.sync().catch(() => undefined);
  await signIn(page, world, token);
  await page.goto(`${world.url}/quarantine`);
  await expect(page.getByText('105 entries wait')).toBeVisible();
  await expect(cards(page)).toHaveCount(100);
  const bar = page.getByRole('group', { name: 'Decide about several at once' });
  await bar.getByRole('checkbox').first().check();
  await bar.getByRole('checkbox', { name: /105 entries in all/ }).check();
  await expect(bar).toContainText('105 chosen');
  await bar.getByRole('button', { name: 'Release the chosen' }).click();
  await page.getByRole('dialog').getByRole('textbox').fill('All of them are hers.');
  await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
  await expect(page.getByText('105 entries released.')).toBeVisible();
  await expect(page.getByText('Quarantine is empty')).toBeVisible();
});

test('technical words are behind a disclosure, and the server’s hand is called Штаб', async ({ page }) => {
  await signIn(page, world, token, 'ru');
  await page.goto(`${world.url}/devices`);
  await expect(page.getByRole('rowheader', { name: 'Штаб' })).toBeVisible();
  await expect(page.getByText('Headquarters')).toHaveCount(0);
  await page.goto(`${world.url}/visits/${settled}`);
  const receipt = page.getByRole('region', { name: 'Квитанция' });
  await expect(receipt.getByText('Посещение записано в журнале участка.')).toBeVisible();
  await expect(receipt.getByRole('term').first()).toBeHidden();
  await receipt.getByText('Технические подробности').click();
  await expect(receipt.getByText('Отпечаток журнала', { exact: true })).toBeVisible();
  const words = await page.getByRole('main').innerText();
  for (const jargon of ['Эпоха', 'Корень', 'По времени работы', 'Headquarters']) expect(words).not.toContain(jargon);
  await expect(page.getByText('Штаб').first()).toBeVisible();
});
