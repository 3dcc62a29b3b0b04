// What a reader makes of the lists: columns, named views, and how long a list is.
import AxeBuilder from '@axe-core/playwright';
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
  for (let visit = 0; visit < 8; visit += 1) {
    const at = new Date(Date.now() - (visit + 1) * 3_600_000).toISOString();
    await aigul.log(visit % 2 ? 'refused' : 'contacted', `Нота ${visit}.`, visit, at);
  }
  await aigul.sync();
});

test.afterAll(() => world.end());

const rows = (page: Page) => page.getByRole('grid').locator('[role=row][aria-selected]');
const heads = (page: Page) => page.getByRole('grid').getByRole('columnheader');

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(wider).toBeLessThanOrEqual(0);
}

test('columns are chosen by keys, stay in this browser, and leave exported files as they are', async ({
  page,
}) => {
  await signIn(page, world, token);
  await expect(rows(page)).toHaveCount(8);
  const before = await (await page.request.get(`${world.url}/v1/export.csv?language=en`)).text();
  await page.getByRole('button', { name: 'Columns' }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Columns' });
  await expect(dialog).toContainText('Exported files always hold all columns');
  await expect(dialog.getByRole('checkbox', { name: /^Place/ })).toBeDisabled();
  for (const name of ['Type', 'Marks', 'Received', 'Beat']) {
    await dialog.getByRole('checkbox', { name, exact: true }).focus();
    await page.keyboard.press('Space');
  }
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect(heads(page)).toHaveText(['Started', 'Place', 'Beat', 'Outcome', 'Author']);
  // The beat stands in its own column, and no longer below the address.
  await expect(rows(page).first().getByText('Участок № 1')).toHaveCount(1);
  await page.reload();
  await expect(heads(page)).toHaveText(['Started', 'Place', 'Beat', 'Outcome', 'Author']);
  await expect(page.getByRole('grid')).toHaveAttribute('aria-colcount', '5');
  expect(await (await page.request.get(`${world.url}/v1/export.csv?language=en`)).text()).toBe(before);

  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('button', { name: 'As usual' }).click();
  await page.keyboard.press('Escape');
  await expect(heads(page)).toHaveCount(6);
  await expect(rows(page).first()).toContainText('door-to-door');
});

for (const width of [390, 768, 1280, 1600])
  test(`whatever columns are chosen, nothing is cut, ${width} pixels wide`, async ({ page }) => {
    await signIn(page, world, token, 'ru');
    await page.setViewportSize({ width, height: 844 });
    const all = ['started', 'ended', 'place', 'beat', 'type', 'outcome', 'author', 'marks', 'received'];
    for (const chosen of [
      all,
      ['place'],
      ['place', 'type', 'marks'],
      ['started', 'place', 'author'],
      all.slice(2),
    ]) {
      await page.evaluate((names) => localStorage.setItem('aralau.columns', names.join()), chosen);
      await page.reload();
      await expect(rows(page)).toHaveCount(8);
      const cut = await rows(page).evaluateAll((all) =>
        all.flatMap((row) =>
          [...row.querySelectorAll<HTMLElement>('[role=gridcell]')]
            .filter((cell) => {
              const [inner, outer] = [cell.getBoundingClientRect(), row.getBoundingClientRect()];
              return inner.right > outer.right + 1 || cell.scrollWidth > cell.clientWidth + 1;
            })
            .map((cell) => cell.className),
        ),
      );
      expect(cut, chosen.join()).toEqual([]);
      await expectAccessible(page);
    }
  });

test('a filter and its columns are named, found again, renamed and removed', async ({ page }) => {
  await signIn(page, world, token);
  await page.goto(`${world.url}/visits?outcome=refused`);
  await expect(rows(page)).toHaveCount(4);
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('checkbox', { name: 'Author' }).uncheck();
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'Views' }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Views' });
  await expect(dialog).toContainText('Outcome: refused');
  await dialog.getByLabel('Name', { exact: true }).fill('Refusals');
  await expectAccessible(page);
  await page.keyboard.press('Enter');
  await expect(page.getByText('View “Refusals” saved.')).toBeVisible();
  const views = page.getByRole('navigation', { name: 'Saved views' });
  await expect(views.getByRole('link', { name: 'Refusals' })).toHaveAttribute('aria-current', 'true');

  // Another filter and the usual columns; then back by its name.
  await page.goto(`${world.url}/visits?outcome=contacted`);
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('button', { name: 'As usual' }).click();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Views' }).click();
  await dialog.getByLabel('Name', { exact: true }).fill('Met');
  await dialog.getByRole('button', { name: 'Save the view' }).click();
  await expect(views.getByRole('link')).toHaveText(['Refusals', 'Met']);
  await views.getByRole('link', { name: 'Refusals' }).click();
  await expect(page).toHaveURL(/\/visits\?outcome=refused$/);
  await expect(rows(page)).toHaveCount(4);
  await expect(page.getByRole('grid').getByRole('columnheader', { name: 'Author' })).toHaveCount(0);
  await page.goBack();
  await expect(page).toHaveURL(/outcome=contacted/);
  await expectAccessible(page);

  await page.reload();
  await page.getByRole('button', { name: 'Views' }).click();
  const name = dialog.getByRole('textbox', { name: 'Name of view “Met”' });
  await name.fill('refusals');
  await name.press('Tab');
  await expect(dialog.getByRole('alert')).toHaveText('It needs a name that no other view has.');
  await expectAccessible(page);
  await name.fill('Somebody met');
  await name.press('Tab');
  await expect(dialog.getByRole('alert')).toHaveCount(0);
  await expect(views.getByRole('link', { name: 'Somebody met', includeHidden: true })).toHaveCount(1);
  await dialog.getByRole('button', { name: 'Copy the address: Somebody met' }).click();
  await expect(page.getByText(/address is copied|\/visits\?outcome=contacted/)).toBeVisible();
  await dialog.getByRole('button', { name: 'Remove: Refusals' }).click();
  await expect(dialog.getByLabel('Name', { exact: true })).toBeFocused();
  await dialog.getByLabel('Name', { exact: true }).fill('Somebody met');
  await expect(dialog.getByRole('button', { name: 'Replace the view' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(views.getByRole('link')).toHaveText(['Somebody met']);
});

test('a list says how long it is, also where not all of it is here', async ({ page }) => {
  await world.addPlaces('beat-03', ...Array.from({ length: 130 }, (_, at) => `Long street, ${at + 1}`));
  await signIn(page, world, token);
  await page.goto(`${world.url}/places?beat=beat-03`);
  const button = page.getByRole('button', { name: 'Show more' });
  await expect(button).toBeVisible();
  const said = page.getByText(/^\d+ places$/);
  await expect(said).toBeVisible();
  const told = Number((await said.innerText()).split(' ')[0]);
  await expect(page.locator('tbody tr')).toHaveCount(100);
  await button.click();
  await expect(page.locator('tbody tr')).toHaveCount(told);
  await page.goto(`${world.url}/places?standing=contacted&beat=beat-01`);
  await expect(page.getByText('4 places', { exact: true })).toBeVisible();
  await page.goto(`${world.url}/devices`);
  await expect(page.getByText(/^\d devices$/)).toBeVisible();
});
