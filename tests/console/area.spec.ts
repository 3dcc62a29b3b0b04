// An area of the map, drawn by hand or written as four numbers: points and list are of it alone.
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { World, signIn } from './world.ts';

let world: World;
let token: string;

test.beforeAll(async () => {
  test.setTimeout(240_000);
  world = await World.begin();
  token = await world.token('headquarters');
  const aigul = await world.device('Aigul');
  // Two at one corner, one far to the north of it.
  await aigul.log('contacted', 'Here.', 0, undefined, [43.2331, 76.9012, 5]);
  await aigul.log('refused', 'Here too.', 1, undefined, [43.2334, 76.9014, 5]);
  await aigul.log('moved', 'Far away.', 2, undefined, [43.3, 76.95, 5]);
  await aigul.sync();
});

test.afterAll(() => world.end());

const list = (page: Page) => page.getByRole('complementary', { name: 'Area of the map' });
const visits = (page: Page) => list(page).getByRole('region', { name: /visits?$/ });
const area = (page: Page) => new URL(page.url()).searchParams.get('area')?.split(',').map(Number);

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(wider).toBeLessThanOrEqual(0);
}

async function open(page: Page, more = ''): Promise<void> {
  await page.goto(`${world.url}/map${more}`);
  await expect(page.getByRole('button', { name: 'Mark an area' })).toBeEnabled();
}

test('four numbers make an area, by keys alone, and the filter keeps it', async ({ page }) => {
  await signIn(page, world, token);
  await open(page);
  await expect(page.getByText('3 points')).toBeVisible();
  await page.getByRole('button', { name: 'By numbers' }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Area of the map' });
  // What is in sight is where one begins.
  expect(Number(await dialog.getByLabel('West').inputValue())).toBeLessThan(76.9012);
  await dialog.getByLabel('West').fill('77');
  await dialog.getByLabel('East').fill('76');
  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('alert')).toContainText('west less than east');
  await expectAccessible(page);
  for (const [side, degrees] of [
    ['West', '76,9'],
    ['South', '43,233'],
    ['East', '76.9018'],
    ['North', '43.2339'],
  ] as const)
    await dialog.getByLabel(side).fill(degrees);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/area=76\.90000%2C43\.23300%2C76\.90180%2C43\.23390/);
  await expect(page.getByText('2 points')).toBeVisible();
  await expect(visits(page).getByRole('listitem')).toHaveCount(2);
  await expect(
    list(page)
      .getByRole('region', { name: /places?$/ })
      .getByRole('listitem')
      .first(),
  ).toBeVisible();
  await expectAccessible(page);

  await page.getByRole('combobox', { name: 'Outcome' }).selectOption('refused');
  await expect(page).toHaveURL(/outcome=refused.*area=/);
  await expect(visits(page).getByRole('listitem')).toHaveCount(1);
  await page.getByRole('button', { name: 'Clear' }).click();
  await expect(page).not.toHaveURL(/outcome/);
  await expect(visits(page).getByRole('listitem')).toHaveCount(2);
  await page.reload();
  await expect(visits(page).getByRole('listitem')).toHaveCount(2);
  await visits(page).getByRole('link').first().click();
  await expect(page).toHaveURL(/\/visits\/[0-9a-f-]{36}/);
  await page.goBack();
  await page.getByRole('button', { name: 'Remove the area' }).click();
  await expect(page).not.toHaveURL(/area=/);
  await expect(list(page)).toHaveCount(0);
  // Without an area it is what is in sight, and as the map moves what comes into sight.
  await expect(page.getByText('2 points')).toBeVisible();
  await expect(async () => {
    await page.getByRole('button', { name: 'Zoom out' }).click();
    await expect(page.getByText('3 points')).toBeVisible({ timeout: 1_000 });
  }).toPass();
});

for (const width of [1280, 390])
  test(`an area is drawn by a drag, and Esc leaves things as they were, ${width} pixels wide`, async ({
    page,
  }) => {
    await signIn(page, world, token);
    await page.setViewportSize({ width, height: 844 });
    await open(page, '?beat=beat-01');
    const box = await page.locator('.map').boundingBox();
    if (!box) throw new Error('no map');
    const drag = async (from: number, to: number) => {
      await page.mouse.move(box.x + box.width * from, box.y + box.height * from);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * to, box.y + box.height * to, { steps: 5 });
      await page.mouse.up();
    };
    await page.getByRole('button', { name: 'Mark an area' }).click();
    await expect(page.getByText('Draw a rectangle on the map')).toBeVisible();
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    await expect(page.getByText('Draw a rectangle on the map')).toHaveCount(0);
    // The key that cancels a drawing clears no filter.
    await expect(page).toHaveURL(/map\?beat=beat-01$/);

    await page.getByRole('button', { name: 'Mark an area' }).click();
    // Whichever corner one begins with.
    await drag(0.95, 0.05);
    await expect(page).toHaveURL(/beat=beat-01.*area=/);
    const [west = 0, south = 0, east = 0, north = 0] = area(page) ?? [];
    expect(west).toBeLessThan(east);
    expect(south).toBeLessThan(north);
    await expect(list(page)).toBeVisible();
    await expect(visits(page).getByRole('listitem')).toHaveCount(3);
    await expectAccessible(page);
  });

test('where more lies there than is shown, the page says so', async ({ page }) => {
  await signIn(page, world, token);
  for (const name of ['visits', 'places'])
    await page.route(`**/v1/${name}/points?*`, async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...(await answer.json()), truncated: true } });
    });
  await open(page);
  await expect(page.getByText(/The newest \d+ points are shown, and there are older ones/)).toBeVisible();
  await expect(page.getByText(/There are more places: the \d+ known longest are shown/)).toBeVisible();
  await page.getByRole('checkbox', { name: 'Places' }).uncheck();
  await expect(page.getByText('There are more places')).toHaveCount(0);
  await expectAccessible(page);
});

test('an area that makes no sense is none', async ({ page }) => {
  await signIn(page, world, token);
  await open(page, '?area=77,43,76,44');
  await expect(page.getByText('3 points')).toBeVisible();
  await expect(list(page)).toHaveCount(0);
});

for (const [locale, theme, width] of [
  ['ru', 'light', 390],
  ['ru', 'dark', 768],
  ['ru', 'daylight', 1280],
  ['kk', 'daylight', 390],
  ['kk', 'light', 1280],
] as const)
  test(`an area is read in ${locale}, ${theme}, ${width} pixels wide`, async ({ page }) => {
    await page.addInitScript((theme) => localStorage.setItem('aralau.theme', theme), theme);
    await signIn(page, world, token, locale);
    await page.setViewportSize({ width, height: 844 });
    await page.goto(`${world.url}/map?area=76.9,43.233,76.9018,43.2339`);
    await expect(page.getByRole('complementary').getByRole('listitem').first()).toBeVisible();
    await expectAccessible(page);
  });
