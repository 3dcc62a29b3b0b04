// How fast the console is over a large store: `./dev bench --console`. Prints a line of JSON for each thing measured.
import { expect, test, type Page } from '@playwright/test';
import { World, signIn } from './world.ts';

const DATA = process.env['ARALAU_SPEED_DATA'];
const ROUNDS = 30;

test.skip(!DATA, 'speed is measured when asked for');
test.describe.configure({ mode: 'serial' });

let world: World;
let token: string;

test.beforeAll(async () => {
  world = await World.on(DATA ?? '');
  token = await world.token('administrator');
});

test.afterAll(() => world.stop());

function tell(measured: string, waits: number[]): void {
  const sorted = waits.toSorted((one, other) => one - other);
  const at = (share: number) => Math.round((sorted[Math.ceil(sorted.length * share) - 1] ?? 0) * 10) / 10;
  console.log(JSON.stringify({ measured, times: sorted.length, p50_ms: at(0.5), p99_ms: at(0.99), most_ms: at(1) }));
}

/** How long the server takes, from the question to the last byte. */
async function answers(rounds: number, path: (round: number) => string): Promise<number[]> {
  const waits = [];
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    const answer = await fetch(world.url + path(round), { headers: { authorization: `Bearer ${token}` } });
    await answer.arrayBuffer();
    expect(answer.status, path(round)).toBe(200);
    waits.push(performance.now() - began);
  }
  return waits;
}

function beat(number: number): string {
  return `beat-${String(((number * 7) % 100) + 1).padStart(3, '0')}`;
}

function day(ago: number): string {
  return new Date(Date.now() - ago * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
}

test('answers of the server, one at a time', async () => {
  test.setTimeout(600_000);
  const kinds: Record<string, (round: number) => string> = {
    'coverage, 12 weeks': () => '/v1/coverage',
    'coverage, a year by month': () => `/v1/coverage?from=${day(364)}&bucket=month`,
    'coverage, 12 weeks of half a year ago': () => `/v1/coverage?from=${day(266)}&to=${day(183)}`,
    'coverage of a beat': (round) => `/v1/coverage?beat=${beat(round)}`,
    'overdue places': () => '/v1/places?standing=overdue',
    'due places of a beat': (round) => `/v1/places?standing=due&beat=${beat(round)}`,
    'repeat problems': () => '/v1/repeat-problems',
    'places of a map': () => '/v1/places/points',
  };
  for (const [kind, path] of Object.entries(kinds)) tell(`server: ${kind}`, await answers(ROUNDS, path));
});

test('filters of the history at the server, one at a time', async () => {
  test.setTimeout(600_000);
  const kinds: Record<string, (round: number) => string> = {
    newest: () => '',
    'a beat and an outcome': (round) => `beat=${beat(round)}&outcome=refused`,
    'a period': (round) => `from=${day(300 - (round % 250))}&to=${day(299 - (round % 250))}`,
    'a word': () => `text=${encodeURIComponent('осмотр')}`,
    'a beat and a word': (round) => `beat=${beat(round)}&text=${encodeURIComponent('насос')}`,
    'in conflict': () => 'conflict=true',
    'in conflict, of a beat': (round) => `conflict=true&beat=${beat(round)}`,
    late: () => 'late=true',
    'not late': () => 'late=false',
    'withdrawn, of a beat': (round) => `status=withdrawn&beat=${beat(round)}`,
    'with an overdue promise': () => `due_before=${day(0)}`,
    'with an open promise, of a beat': (round) => `commitment=true&beat=${beat(round)}`,
    'with a concern': (round) => `concern=${round % 2 === 0 ? 'noise' : 'lighting'}`,
    'with a concern, of a beat': (round) => `concern=noise&beat=${beat(round)}`,
  };
  for (const [kind, filter] of Object.entries(kinds)) {
    tell(`filter: ${kind}`, await answers(10 * ROUNDS, (round) => `/v1/visits?${filter(round)}`));
  }
});

test('the first load', async ({ page }) => {
  const network = await page.context().newCDPSession(page);
  await network.send('Network.enable');
  let [bytes, requests] = [0, 0];
  network.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
    requests += 1;
  });
  await signIn(page, world, token);
  await expect(page.getByRole('grid').locator('[aria-selected]').first()).toBeVisible();
  console.log(JSON.stringify({ measured: 'first load, sign-in to history', kb: Math.round(bytes / 1000), requests }));
});

/** From the moment at which the address changes until other rows are painted. */
async function paint(page: Page, address: string): Promise<number> {
  return page.evaluate(async (to) => {
    const frame = () => new Promise(requestAnimationFrame);
    const first = () => document.querySelector('[role=grid] [aria-selected] a')?.getAttribute('href');
    const before = first();
    const began = performance.now();
    history.pushState(null, '', to);
    dispatchEvent(new PopStateEvent('popstate'));
    while (first() === before || !first()) {
      if (performance.now() - began > 20_000) throw new Error(`nothing else is shown at ${to}`);
      await frame();
    }
    // The frame after the one in which the rows are there has painted them.
    await frame();
    await frame();
    return performance.now() - began;
  }, address);
}

test('a filter of the history, painted', async ({ page }) => {
  test.setTimeout(600_000);
  await signIn(page, world, token);
  await expect(page.getByRole('grid').locator('[aria-selected]').first()).toBeVisible();
  const kinds: Record<string, (round: number) => string> = {
    'beat and outcome': (round) => `/visits?beat=${beat(round)}&outcome=refused`,
    'a beat and words': (round) => `/visits?beat=${beat(round)}&text=${encodeURIComponent('насос')}`,
    'a period': (round) => `/visits?from=${day(300 - 3 * round)}&to=${day(298 - 3 * round)}`,
    'overdue promises of a beat': (round) => `/visits?beat=${beat(round)}&due_before=${day(0)}`,
  };
  for (const [kind, address] of Object.entries(kinds)) {
    const waits = [];
    for (let round = 0; round < ROUNDS; round += 1) waits.push(await paint(page, address(round)));
    tell(`painted: ${kind}`, waits);
  }
});

test('coverage, painted', async ({ page }) => {
  test.setTimeout(300_000);
  await signIn(page, world, token);
  const waits = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await page.goto(`${world.url}/devices`);
    await expect(page.getByRole('table')).toBeVisible();
    const wait = page.evaluate(async () => {
      const frame = () => new Promise(requestAnimationFrame);
      const began = performance.now();
      history.pushState(null, '', '/coverage');
      dispatchEvent(new PopStateEvent('popstate'));
      while (!document.querySelector('.figures-row .value')) await frame();
      await frame();
      await frame();
      return performance.now() - began;
    });
    waits.push(await wait);
  }
  tell('painted: coverage of all beats', waits);
});
