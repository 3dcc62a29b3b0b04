import { expect, test, type Page } from '@playwright/test';
import { World, signIn } from './world.ts';

const LOCALES = ['ru', 'kk', 'en'] as const;
const WIDTHS = [390, 768, 1280] as const;
const OUTCOMES = ['contacted', 'nobody_home', 'no_access', 'refused', 'moved', 'vacant'];
/** Words that are no words of ours: addresses without spaces, names without an end. */
const LONG_NAME = 'Қасымжомартқызы-Сейітқалиева Гүлбаршын Жұмабайқызы';

/** As long as addresses are where a street bears a whole name; what tells one door from another stands at their end. */
const LONG_ADDRESSES = [
  'проспект Нурсултана Назарбаева, дом 128/14, квартира 57',
  'Шоқан Уәлиханов көшесі, 214-үй, 3-кіреберіс, 118-пәтер',
];

let world: World;
let token: string;
let visit: string;

test.beforeAll(async () => {
  test.setTimeout(240_000);
  world = await World.begin();
  await world.addPlaces('beat-01', ...LONG_ADDRESSES);
  token = await world.token('administrator');
  const [aigul, timur, lost] = [
    await world.device(LONG_NAME),
    await world.device('Тимур Ахметов'),
    await world.device('Ғани Әбіш'),
  ];
  for (const [place, outcome] of OUTCOMES.entries()) {
    const at = new Date(Date.now() - (place + 1) * 3_600_000).toISOString();
    const logged = await aigul.log(outcome, 'Жалоба на шум после 23:00.', place, at);
    await aigul.edit(logged, '--concern', 'neighbour_dispute', '--promise', 'Передать обращение', '--due', '2026-01-31');
  }
  // Wherever the long ones stand among the others.
  for (let place = OUTCOMES.length; place < aigul.places.length; place += 1) await aigul.log('contacted', 'Сөйлестік.', place);
  // The same concern at the same door once more: a repeat problem.
  await aigul.edit(await aigul.log('no_access', 'Есік ашылмады.', 0), '--concern', 'neighbour_dispute');
  visit = await aigul.log('contacted', 'Сөйлестік.', 1);
  await aigul.sync();
  await timur.sync();
  await aigul.edit(visit, '--outcome', 'no_access');
  await timur.edit(visit, '--outcome', 'refused');
  await aigul.sync();
  await timur.sync();
  await timur.edit(await timur.log('moved', 'Көшіп кеткен.', 3), '--withdraw');
  await timur.sync();
  // What a device wrote that was shut out waits for somebody's decision.
  await lost.sync();
  await world.revoke('Ғани Әбіш');
  await lost.log('contacted', 'Written before the phone was lost.', 2);
  await lost.sync().catch(() => undefined);
});

test.afterAll(() => world.end());

/** What is wrong with a page as it is laid out, in words. */
function faults(): string[] {
  const found: string[] = [];
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) found.push(`the page scrolls sideways: ${scrollWidth} of ${clientWidth}`);
  const shown = (element: Element) =>
    element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
    !element.closest('.visually-hidden, svg, .maplibregl-map, .u-wrap, thead, .head, [aria-hidden="true"]');
  const words = (element: Element) => element.textContent?.trim().replace(/\s+/g, ' ').slice(0, 60);
  for (const element of document.body.querySelectorAll<HTMLElement>('*')) {
    if (!shown(element) || !words(element)) continue;
    const style = getComputedStyle(element);
    if (style.clipPath !== 'none' || style.display === 'inline') continue;
    const across = /hidden|clip/.test(style.overflowX) && element.scrollWidth > element.clientWidth + 1;
    const down = /hidden|clip/.test(style.overflowY) && element.scrollHeight > element.clientHeight + 1;
    // Words of others that are long have a button that shows all.
    if ((across || down) && !element.matches('.clamped, .frame, .grid'))
      found.push(`cut (${element.tagName} ${element.className}): ${words(element)}`);
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const parent = node.parentElement;
    if (!parent || !shown(parent) || parent.closest('code, .mono, .words, option')) continue;
    for (const word of (node.textContent ?? '').matchAll(/\p{L}+/gu)) {
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
      if (lines.size > 1) found.push(`broken: ${word[0]} in “${words(parent)}”`);
    }
  }
  return found;
}

async function settled(page: Page): Promise<void> {
  await expect(page.locator('h1')).toBeVisible();
  await expect(page.locator('.skeleton')).toHaveCount(0);
  await page.evaluate(() => document.fonts.ready);
}

for (const width of WIDTHS) {
  for (const locale of LOCALES) {
    test(`nothing is cut, broken or out of the page in ${locale}, ${width} pixels wide`, async ({ page }) => {
      test.setTimeout(180_000);
      await page.emulateMedia({ reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 844 });
      await page.addInitScript((chosen) => localStorage.setItem('aralau.locale', chosen), locale);
      await page.goto(`${world.url}/visits`);
      await page.locator('input[type=password]').fill(token);
      await page.keyboard.press('Enter');
      await expect(page.getByRole('grid')).toBeVisible();
      const paths = ['/places', '/places?standing=overdue', '/coverage', '/repeat-problems', '/conflicts', '/quarantine'];
      const wrong: string[] = [];
      for (const path of ['/', '/visits', '/visits?outcome=no_access&late=false', `/visits/${visit}`, ...paths, '/devices', '/organisation', '/tokens', '/map']) {
        await page.goto(world.url + path);
        await settled(page);
        const filters = page.locator('search button.more');
        if (await filters.isVisible()) await filters.click();
        await page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)));
        wrong.push(...(await page.evaluate(faults)).map((fault) => `${path} ${fault}`));
      }
      expect(wrong).toEqual([]);
    });
  }
}

for (const width of [390, 768, 1280, 1440, 1920]) {
  test(`a long address is read to its end in two lines, ${width} pixels wide`, async ({ page }) => {
    await signIn(page, world, token, 'ru');
    await page.setViewportSize({ width, height: 900 });
    await page.reload();
    await expect(page.getByRole('grid')).toBeVisible();
    for (const address of LONG_ADDRESSES) {
      const name = page.getByRole('grid').getByText(address).first();
      await name.scrollIntoViewIfNeeded();
      const { lines, cut } = await name.evaluate((element) => {
        const range = document.createRange();
        range.selectNodeContents(element);
        let cut = false;
        for (let around = element.parentElement; around && around.role !== 'grid'; around = around.parentElement)
          cut ||= around.scrollWidth > around.clientWidth + 1 || around.scrollHeight > around.clientHeight + 1;
        return { lines: new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size, cut };
      });
      expect({ cut, lines }, address).toEqual({ cut: false, lines: lines > 1 ? 2 : 1 });
    }
  });
}

test('on a phone the map is all in sight, and its legend is folded', async ({ page }) => {
  await signIn(page, world, token, 'ru');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`${world.url}/map`);
  const scale = page.locator('.maplibregl-ctrl-scale');
  await expect(scale).toBeInViewport({ ratio: 1 });
  const { height, inner } = await page.evaluate(() => ({
    height: document.documentElement.scrollHeight,
    inner: innerHeight,
  }));
  expect(height).toBeLessThanOrEqual(inner);
  const shading = page.getByRole('checkbox', { name: 'Заливка охвата' });
  await expect(shading).toBeHidden();
  const share = await page.evaluate(() => {
    const area = (name: string) => {
      const { width = 0, height = 0 } = document.querySelector(name)?.getBoundingClientRect() ?? {};
      return width * height;
    };
    return area('.legend') / area('.map');
  });
  expect(share).toBeLessThan(0.1);
  await page.getByText('Обозначения').click();
  await expect(shading).toBeVisible();
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(`${world.url}/map`);
  await expect(shading).toBeVisible();
});

test('no date is written as browsers write what they have no words for', async ({ page }) => {
  await signIn(page, world, token, 'kk');
  for (const path of ['/', '/visits', `/visits/${visit}`, '/coverage', '/places', '/devices', '/organisation', '/tokens', '/quarantine']) {
    await page.goto(world.url + path);
    await settled(page);
    expect(await page.locator('body').innerText(), path).not.toMatch(/\d{4} M\d{2}|\bM\d{2}\b/);
  }
});

test('coverage goes onto sheets of A4, without what one works it by', async ({ page }) => {
  await signIn(page, world, token, 'ru');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`${world.url}/coverage?from=2026-01-01&to=2026-03-31&beat=beat-01`);
  await settled(page);
  const said = page.getByText('01.01.2026 – 31.03.2026');
  await expect(said).toBeHidden();
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  await expect(said).toBeVisible();
  await expect(page.getByRole('definition').filter({ hasText: 'Участок № 1' })).toBeVisible();
  for (const hidden of ['nav', 'search', 'main button']) await expect(page.locator(hidden).first()).toBeHidden();
  // A table also where the screen is a phone's, black on white also where it is dark.
  await expect(page.getByRole('columnheader', { name: 'Участок' })).toBeVisible();
  const [ink, ground] = await page.evaluate(() => {
    const { color, backgroundColor } = getComputedStyle(document.documentElement);
    return [color, backgroundColor];
  });
  expect([ink, ground]).toEqual(['rgb(0, 0, 0)', 'rgb(255, 255, 255)']);
  const sheets = (await page.pdf({ preferCSSPageSize: true })).toString('latin1');
  expect(sheets).toMatch(/MediaBox \[0 0 59[45][.\d]* 84[12]/);
});
