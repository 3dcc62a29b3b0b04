import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { World, signIn } from './world.ts';

test.describe.configure({ mode: 'serial' });

let world: World;
let token: string;

test.beforeAll(async () => {
  world = await World.begin();
  token = await world.token('headquarters');
  const [kabdesh, anna] = [await world.device('Қабдеш Үміт'), await world.device('Анна Ёлкина')];
  await kabdesh.log('contacted', 'Тыныш.', 1);
  await anna.log('contacted', 'Тихо.', 2);
  await kabdesh.sync();
  await anna.sync();
});

test.afterAll(() => world.end());

const rows = (page: Page) => page.getByRole('grid').locator('[role=row][aria-selected]');
const query = (page: Page) => new URL(page.url()).searchParams;

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
}

test('a day is typed in the order of the language, and read however it is written', async ({ page }) => {
  await signIn(page, world, token, 'ru');
  const from = page.getByRole('textbox', { name: 'С', exact: true });
  await expect(from).toHaveAttribute('placeholder', 'дд.мм.гггг');
  await from.fill('31.5.26');
  await from.press('Enter');
  await expect(page).toHaveURL(/from=2026-05-31/);
  await expect(from).toHaveValue('31.05.2026');
  await from.fill('31.02.2026');
  await from.press('Tab');
  await expect(page.getByRole('alert')).toHaveText('Напишите день так: 31.05.2026.');
  await expect(from).toHaveAttribute('aria-invalid', 'true');
  await expect(page).toHaveURL(/from=2026-05-31/);
  await expectAccessible(page);
  await from.fill('');
  await from.press('Tab');
  await expect(page).not.toHaveURL(/from=/);
});

test('a calendar is worked by keys, begins on Monday and speaks the language', async ({ page }) => {
  await signIn(page, world, token, 'kk');
  await page.goto(`${world.url}/?from=2026-05-31`);
  const open = page.getByRole('button', { name: 'Күнтізбені ашу: Бастап, 2026 жылғы 31 мамыр, жексенбі' });
  await open.focus();
  await page.keyboard.press('Enter');
  const calendar = page.getByRole('dialog', { name: 'Бастап' });
  await expect(calendar.getByRole('heading')).toHaveText('Мамыр 2026');
  await expect(calendar.getByRole('columnheader').first()).toHaveText('дс');
  await expect(calendar.getByRole('button', { name: '2026 жылғы 31 мамыр, жексенбі' })).toBeFocused();
  await expectAccessible(page);
  await page.keyboard.press('ArrowRight');
  await expect(calendar.getByRole('heading')).toHaveText('Маусым 2026');
  await page.keyboard.press('PageDown');
  await page.keyboard.press('Shift+PageUp');
  await page.keyboard.press('End');
  await expect(calendar.getByRole('button', { name: '2025 жылғы 6 шілде, жексенбі' })).toBeFocused();
  await page.keyboard.press('Escape');
  // Also for the page, which a browser tells of it a moment later.
  await expect(page.locator('dialog')).toHaveCount(0);
  await expect(open).toBeFocused();
  expect(query(page).get('from')).toBe('2026-05-31');
  await page.keyboard.press('Enter');
  await expect(calendar.getByRole('button', { name: '2026 жылғы 31 мамыр, жексенбі' })).toBeFocused();
  await page.keyboard.press('Home');
  await expect(calendar.getByRole('button', { name: '2026 жылғы 25 мамыр, дүйсенбі' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/from=2026-05-25/);
  await expect(page.getByRole('textbox', { name: 'Бастап' })).toHaveValue('25.05.2026');
});

test('the usual stretches of time are one press away', async ({ page }) => {
  await page.clock.setFixedTime('2026-11-28T20:00:00Z');
  await signIn(page, world, token);
  await page.goto(`${world.url}/coverage`);
  // By the deployment's days it is the next one already.
  for (const [name, from, to] of [
    ['Today', '2026-11-29', '2026-11-29'],
    ['Yesterday', '2026-11-28', '2026-11-28'],
    ['This week', '2026-11-23', '2026-11-29'],
    ['This month', '2026-11-01', '2026-11-29'],
    ['This quarter', '2026-10-01', '2026-11-29'],
    ['This year', '2026-01-01', '2026-11-29'],
  ] as const) {
    const button = page.getByRole('button', { name, exact: true });
    await button.click();
    await expect(button).toHaveAttribute('aria-pressed', 'true');
    expect([query(page).get('from'), query(page).get('to')]).toEqual([from, to]);
  }
});

test('an inspector is found by the beginning of a name, from a Russian keyboard', async ({ page }) => {
  await signIn(page, world, token);
  await expect(rows(page)).toHaveCount(2);
  const author = page.getByRole('combobox', { name: 'Author' });
  await author.pressSequentially('кабд');
  await expect(page.getByRole('option', { name: 'Қабдеш Үміт' })).toBeVisible();
  await expect(author).toHaveAttribute('aria-expanded', 'true');
  await expectAccessible(page);
  await page.keyboard.press('Enter');
  await expect(author).toHaveValue('Қабдеш Үміт');
  await expect(rows(page)).toHaveCount(1);
  expect(query(page).get('author')).toBe('Қабдеш Үміт');

  // Quicker than the answer.
  await author.fill('елк');
  await author.press('Enter');
  await expect(author).toHaveValue('Анна Ёлкина');
  await author.fill('nobody at all');
  await expect(page.getByText('Nothing found').first()).toBeVisible();
  await author.press('Escape');
  await expect(author).toHaveValue('Анна Ёлкина');
  await author.fill('');
  await author.press('Tab');
  await expect(page).not.toHaveURL(/author=/);
});

test('beats and places are suggested, in their order, and chosen by arrows', async ({ page }) => {
  await signIn(page, world, token);
  const options = (name: string) => page.getByRole('listbox', { name }).getByRole('option');
  const beat = page.getByRole('combobox', { name: 'Beat' });
  await beat.click();
  await expect(options('Beat')).toHaveCount(6);
  await beat.pressSequentially('1');
  await expect(options('Beat')).toHaveCount(1);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/beat=beat-01/);

  const place = page.getByRole('combobox', { name: 'Place' });
  await place.fill('абая 1');
  await expect(options('Place')).toHaveText([/ул\. Абая, 1\b/, /10/, /11/, /12/]);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  await expect(options('Place').last()).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Home');
  await options('Place').first().click();
  await expect(page.getByRole('button', { name: /Remove the condition: Place/ })).toContainText('ул. Абая, 1');
  await page.reload();
  await expect(place).not.toHaveValue(/[0-9a-f]{8}-/);
});
