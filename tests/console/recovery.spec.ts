// A server that is away while somebody works: whatever they open meanwhile opens by itself once it is back.
import { expect, test, type Page } from '@playwright/test';
import { World, signIn, type Device } from './world.ts';

let world: World;
let token: string;
let aigul: Device;
let visit: string;

test.beforeAll(async () => {
  world = await World.begin();
  token = await world.token('administrator');
  aigul = await world.device('Aigul');
  visit = await aigul.log('contacted', 'Before the server went.');
  await aigul.sync();
});

test.afterAll(() => world.end());

/** How often the page was loaded as a whole. */
function loads(page: Page): () => number {
  let count = 0;
  page.on('load', () => (count += 1));
  return () => count;
}

async function goAway(page: Page): Promise<void> {
  await world.stop();
  await expect(page.getByRole('alert').getByText('Server does not answer')).toBeVisible();
}

for (const [name, path, shows] of [
  ['Coverage', '/coverage', 'By beat'],
  ['Map', '/map', 'Coverage shading'],
  ['Places', '/places', 'ул. Абая, 1'],
  ['Conflicts', '/conflicts', 'No conflicts'],
  ['Quarantine', '/quarantine', 'Quarantine is empty'],
  ['Devices', '/devices', 'Aigul'],
  ['Organisation', '/organisation', 'Aigul'],
  ['Access', '/tokens', 'administrator of the test'],
] as const) {
  test(`${name}, first opened while the server is away, opens once it is back`, async ({ page }) => {
    await signIn(page, world, token);
    await expect(page.getByRole('grid')).toBeVisible();
    await goAway(page);
    await page.getByRole('link', { name, exact: true }).click();
    await expect(page.getByRole('grid')).toHaveCount(0);
    await expect(page.locator('.skeleton')).toHaveCount(0);
    await expect(page.getByRole('alert')).toHaveCount(1);
    await expect(page.getByText('This opens by itself')).toBeVisible();
    await world.start();
    await expect(page.getByRole('heading', { name, exact: true })).toBeVisible({ timeout: 30_000 });
    await expect(page.getByText(shows, { exact: true }).first()).toBeVisible();
    expect(new URL(page.url()).pathname).toBe(path);
    await expect(page.getByRole('alert')).toHaveCount(0);
  });
}

test('a list that is on screen stays, and one banner says why it is not renewed', async ({ page }) => {
  await signIn(page, world, token);
  await expect(page.getByRole('grid')).toBeVisible();
  await goAway(page);
  await page.getByRole('checkbox', { name: 'Late entries' }).check();
  await expect(page.getByRole('grid')).toBeVisible();
  await expect(page.getByRole('alert')).toHaveCount(1);
  await world.start();
  await expect(page.getByText('No visits pass this filter')).toBeVisible({ timeout: 30_000 });
});

test('a language chosen while the server is away is spoken once it is back', async ({ page }) => {
  await signIn(page, world, token);
  await goAway(page);
  await page.getByLabel('Language').selectOption('kk');
  await world.start();
  await expect(page.getByRole('heading', { name: 'Бару тарихы' })).toBeVisible({ timeout: 30_000 });
});

test('a page whose code a newer console does not have any more is loaded anew, once', async ({ page }) => {
  await signIn(page, world, token);
  await expect(page.getByRole('grid')).toBeVisible();
  const loaded = loads(page);
  // A script is asked for ahead and again when it is wanted: it is gone for the page that is open, and there for the next.
  let isOpenedAnew = false;
  page.on('request', (request) => (isOpenedAnew ||= request.isNavigationRequest()));
  await page.route('**/assets/Conflicts-*.js', (route) =>
    isOpenedAnew ? route.continue() : route.fulfill({ status: 404 }),
  );
  await page.getByRole('link', { name: 'Conflicts', exact: true }).click();
  await expect(page.getByText('No conflicts')).toBeVisible();
  await expect.poll(loaded).toBe(1);
  // One that is not there either is no reason to go on without end.
  await page.route('**/assets/Devices-*.js', (route) => route.fulfill({ status: 404 }));
  await page.getByRole('link', { name: 'Devices', exact: true }).click();
  await expect(page.getByText('could not be loaded')).toBeVisible();
  await expect.poll(loaded).toBe(2);
});

test('a list that the server could not give is asked for once more, as it was', async ({ page }) => {
  await signIn(page, world, token);
  const asked: string[] = [];
  let refusals = 1;
  await page.route('**/v1/places?*', async (route) => {
    asked.push(new URL(route.request().url()).searchParams.get('limit') ?? '');
    if (refusals-- > 0) await route.fulfill({ status: 500, json: { code: 'internal', title: 'internal', status: 500 } });
    else await route.continue();
  });
  await page.getByRole('link', { name: 'Places', exact: true }).click();
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('main').getByText('ул. Абая, 1', { exact: true }).first()).toBeVisible();
  expect(asked).toEqual([asked[0], asked[0]]);
  expect(Number(asked[0])).toBeGreaterThan(0);
});

test('the page is not loaded anew under somebody who is writing', async ({ page }) => {
  await signIn(page, world, token);
  await page.goto(`${world.url}/visits/${visit}`);
  const card = page.getByRole('region', { name: 'Receipt' });
  await card.getByText('Technical details').click();
  await card.getByRole('textbox').fill('aralau/ half a receipt');
  await goAway(page);
  await card.getByRole('button', { name: 'Verify' }).click();
  await expect(card.getByRole('alert')).toBeVisible();
  const loaded = loads(page);
  await world.start();
  await expect(page.getByText('The server is back')).toBeVisible({ timeout: 30_000 });
  await expect(card.getByRole('textbox')).toHaveValue('aralau/ half a receipt');
  expect(loaded()).toBe(0);
  await card.getByRole('textbox').fill('');
  await expect.poll(loaded).toBe(1);
  await card.getByRole('button', { name: 'Verify' }).click();
  await expect(card.getByText('rows of this visit are under the signed fingerprint').or(card.getByText('row of this visit'))).toBeVisible();
});
