import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type Browser, type Page } from '@playwright/test';
import { World, signIn } from './world.ts';

test.describe.configure({ mode: 'serial' });

type Colour = readonly [red: number, green: number, blue: number];

/** As the format numbers them. */
const MVT = 1;
const PNG = 2;
const MAGENTA: Colour = [255, 0, 255];
/** Land, as the library's two flavors paint it. */
const LAND: Colour = [0xe2, 0xdf, 0xda];
const LAND_IN_THE_DARK: Colour = [0x1f, 0x1f, 0x1f];
/** Beats, places and visits leave more than this of the map to what is beneath them. */
const SHARE_IN_SIGHT = 0.1;
const CREDIT = '<b>©</b> <a href="https://else.example/"><img src="https://else.example/x.png">The map makers</a>';

let folder: string;
let file: string;
let world: World;
let token: string;

test.beforeAll(async ({ browser }) => {
  folder = await mkdtemp(join(tmpdir(), 'aralau-basemap-'));
  file = join(folder, 'map.pmtiles');
  await writeFile(file, archive(PNG, await picture(browser)));
  world = await World.begin('--basemap', file);
  token = await world.token('headquarters');
});

test.afterAll(async () => {
  await world.end();
  await rm(folder, { recursive: true, force: true });
});

/** A whole archive in the least number of bytes: one tile that is the world, and nothing packed. */
function archive(tileType: number, tile: Buffer): Buffer {
  const header = Buffer.alloc(127);
  const length = [...varint(tile.length)];
  // One entry: the tile 0, once, so long, and at offset 0 (written as 1).
  const directory = Buffer.from([1, 0, 1, ...length, 1]);
  const metadata = Buffer.from(JSON.stringify({ attribution: CREDIT }));
  header.write('PMTiles\x03', 'latin1');
  const parts = [header, directory, metadata, Buffer.alloc(0), tile];
  let offset = header.length;
  parts.slice(1).forEach((part, place) => {
    header.writeBigUInt64LE(BigInt(offset), 8 + 16 * place);
    header.writeBigUInt64LE(BigInt(part.length), 16 + 16 * place);
    offset += part.length;
  });
  for (const count of [72, 80, 88]) header.writeBigUInt64LE(1n, count);
  // Clustered, nothing packed inside, tiles not packed, their type, from zoom 0 to zoom 0.
  header.set([1, 1, 1, tileType, 0, 0], 96);
  [-180, -85, 180, 85].forEach((degrees, place) => header.writeInt32LE(degrees * 1e7, 102 + 4 * place));
  return Buffer.concat(parts);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

/** A picture of one colour. */
async function picture(browser: Browser): Promise<Buffer> {
  const page = await browser.newPage();
  const url = await page.evaluate(([red, green, blue]) => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 256;
    const context = canvas.getContext('2d');
    if (!context) throw new Error('no canvas');
    context.fillStyle = `rgb(${red}, ${green}, ${blue})`;
    context.fillRect(0, 0, 256, 256);
    return canvas.toDataURL('image/png');
  }, MAGENTA);
  await page.close();
  return Buffer.from(url.split(',')[1] ?? '', 'base64');
}

/** A vector tile: one square of land, from corner to corner. */
function land(): Buffer {
  const message = (field: number, content: number[]) => [field * 8 + 2, ...varint(content.length), ...content];
  const size = 4096;
  // Move to the corner, three lines along the edges, close; steps are doubled, and odd where they go back.
  const path = [9, 0, 0, 26, size * 2, 0, 0, size * 2, size * 2 - 1, 0, 15].flatMap(varint);
  const polygon = [3 * 8, 3, ...message(4, path)];
  const layer = [15 * 8, 2, ...message(1, [...Buffer.from('earth')]), ...message(2, polygon), 5 * 8, ...varint(size)];
  return Buffer.from(message(3, layer));
}

/** How much of the map as it is on screen has that colour, from 0 to 1. */
async function share(page: Page, colour: Colour): Promise<number> {
  const shot = await page.locator('.maplibregl-canvas').screenshot();
  return page.evaluate(
    async ([base64, wanted]) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
      const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
      if (!context) throw new Error('no canvas');
      context.drawImage(image, 0, 0);
      const { data } = context.getImageData(0, 0, image.width, image.height);
      let alike = 0;
      for (let at = 0; at < data.length; at += 4) {
        if (wanted.every((value, channel) => Math.abs((data[at + channel] ?? 0) - value) <= 3)) alike += 1;
      }
      return (alike * 4) / data.length;
    },
    [shot.toString('base64'), colour] as const,
  );
}

async function expectInSight(page: Page, colour: Colour): Promise<void> {
  await expect.poll(() => share(page, colour), { timeout: 30_000 }).toBeGreaterThan(SHARE_IN_SIGHT);
}

test('a basemap of pictures lies beneath the visits, and comes from this server alone', async ({ page }) => {
  const foreign: string[] = [];
  const statuses: number[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(world.url) && !/^(blob|data):/.test(request.url())) foreign.push(request.url());
  });
  page.on('response', (response) => {
    if (response.url() === `${world.url}/basemap.pmtiles`) statuses.push(response.status());
  });
  await signIn(page, world, token);
  await page.goto(`${world.url}/map`);
  await expectInSight(page, MAGENTA);
  expect(statuses).toContain(206);
  expect(new Set(statuses)).toEqual(new Set([206]));
  // Whose map it is stands there in words: no link, no picture.
  const credit = page.locator('.maplibregl-ctrl-attrib-inner');
  await expect(credit).toHaveText('© The map makers');
  await expect(credit.locator('*')).toHaveCount(0);
  expect(foreign).toEqual([]);
});

test('the basemap wears the theme, also while it is on screen', async ({ page }) => {
  await writeFile(file, archive(MVT, land()));
  await page.emulateMedia({ colorScheme: 'light' });
  await signIn(page, world, token);
  await page.goto(`${world.url}/map`);
  await expectInSight(page, LAND);
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectInSight(page, LAND_IN_THE_DARK);
  await page.getByLabel('Appearance').selectOption('light');
  await expectInSight(page, LAND);
  await page.getByLabel('Appearance').selectOption('dark');
  await expectInSight(page, LAND_IN_THE_DARK);
});

test('a tile that is damaged is told of, and the map works', async ({ page }) => {
  await writeFile(file, archive(PNG, Buffer.from('no picture')));
  await signIn(page, world, token);
  await page.goto(`${world.url}/map`);
  await expect(page.getByText('The basemap could not be read')).toBeVisible();
  await expect(page.getByRole('checkbox', { name: 'Places' })).toBeVisible();
});

test('without a basemap that can be read the map works, and says so', async ({ page }) => {
  await writeFile(file, 'PMTiles\x03 and nothing that follows from it');
  await signIn(page, world, token);
  await page.goto(`${world.url}/map`);
  await expect(page.getByText('The basemap could not be read')).toBeVisible();
  await expect(page.getByRole('checkbox', { name: 'Places' })).toBeVisible();
  await expect(page.getByText('Loading the map')).toHaveCount(0);
  expect(await share(page, MAGENTA)).toBe(0);
});
