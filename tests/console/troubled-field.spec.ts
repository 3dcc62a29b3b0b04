// The inspector's app in browsers that refuse what it needs, at servers that are not its own, in windows that sleep.
import { createServer, request, type Server } from 'node:http';
import { chromium, expect, test, type BrowserContext, type Page } from '@playwright/test';
import { Phone, ROOT } from './phone.ts';
import { World } from './world.ts';

let world: World;

test.beforeAll(async () => {
  world = await World.begin('--name', 'Almaty');
});

test.afterAll(() => world.end());

async function enroll(page: Page, name: string): Promise<void> {
  await page.getByLabel('Or type the code').fill(await world.code(name));
  await page.getByRole('button', { name: 'Connect' }).click();
  await expect(page.getByText(/All at headquarters/)).toBeVisible();
}

async function log(page: Page, note: string): Promise<void> {
  await page
    .getByRole('button', { name: /^Log a visit:/ })
    .first()
    .click();
  await page.getByText('contacted', { exact: true }).click();
  await page.getByLabel('Note').fill(note);
  await page.getByRole('button', { name: 'Done' }).click();
  await expect(page.getByRole('heading', { name: 'Round' })).toBeVisible();
}

/** What a server at one port answers, at another port; `append` says what its service worker has at its end. */
async function between(from: number, to: number, append = () => ''): Promise<Server> {
  const server = createServer((asked, answer) => {
    const { url: path, method, headers } = asked;
    const isWorker = path === `${ROOT}sw.js`;
    // Whole and uncompressed, where it is changed.
    const plain = isWorker ? { 'accept-encoding': 'identity', 'if-none-match': '' } : {};
    const options = { port: to, host: '127.0.0.1', path, method, headers: { ...headers, ...plain } };
    const passed = request(options, (heard) => {
      const { 'content-length': _, ...others } = heard.headers;
      answer.writeHead(heard.statusCode ?? 502, isWorker ? others : heard.headers);
      heard.pipe(answer, { end: !isWorker });
      if (isWorker) heard.on('end', () => answer.end(append()));
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(from, '127.0.0.1', resolve));
  return server;
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

/** In the app's worker before anything else is. */
async function inWorker(context: BrowserContext, script: string): Promise<void> {
  await context.route('**/assets/worker-*.js', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: `${script}\n${await answer.text()}` });
  });
}

const REFUSED: readonly [what: string, script: string, says: RegExp][] = [
  [
    'its files, as in a private window',
    `StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException('no', 'SecurityError'));`,
    /cannot keep visits without a network/,
  ],
  [
    'its key store',
    `IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); };`,
    /no key store/,
  ],
  [
    'keys on P-256',
    `SubtleCrypto.prototype.generateKey = () => Promise.reject(new DOMException('no', 'NotSupportedError'));`,
    /no key store/,
  ],
];
for (const [what, script, says] of REFUSED) {
  test(`a browser that refuses ${what} is told apart from a full phone`, async () => {
    const phone = await Phone.at(world.url);
    const page = await phone.open(`${ROOT}manifest.webmanifest`);
    await inWorker(page.context(), script);
    await page.goto(world.url + ROOT);
    await expect(page.getByText('This browser will not do')).toBeVisible();
    await expect(page.getByText(says)).toBeVisible();
    await phone.end();
  });
}

test('a browser that has none of it says so, and an address without encryption as well', async () => {
  const phone = await Phone.at(world.url);
  const page = await phone.open(`${ROOT}manifest.webmanifest`);
  await page.context().addInitScript(() => {
    Object.defineProperty(StorageManager.prototype, 'getDirectory', { value: undefined });
    Object.defineProperty(globalThis, 'BroadcastChannel', { value: undefined });
  });
  await page.goto(world.url + ROOT);
  await expect(page.getByText(/no OPFS files/)).toBeVisible();
  await expect(page.getByText(/cannot share one store between tabs/)).toBeVisible();
  await phone.end();

  const { ARALAU_CHROMIUM: executablePath } = process.env;
  const browser = await chromium.launch({
    ...(executablePath && { executablePath }),
    args: ['--no-sandbox', '--host-resolver-rules=MAP office.test 127.0.0.1'],
  });
  const open = await browser.newPage({ locale: 'en-GB' });
  await open.goto(`http://office.test:${world.port}${ROOT}`);
  await expect(open.getByText(/without encryption/)).toBeVisible();
  await browser.close();
});

test('another deployment at the address gets nothing, and neither its name nor its colour is worn', async () => {
  test.setTimeout(120_000);
  const phone = await Phone.at(world.url);
  const page = await phone.open();
  await enroll(page, 'Ернар Сатыбалды');
  await phone.offline(true);
  await log(page, 'for the first server');
  const other = await World.begin('--name', 'Elsewhere', '--training');
  await world.stop();
  const stranger = await between(world.port, other.port);
  await phone.offline(false);
  await page.getByRole('button', { name: 'Sync now' }).click();
  const sentence = page.getByText(/belongs to another server/);
  await expect(sentence).toBeVisible();
  await page.reload();
  await expect(sentence).toBeVisible();
  await expect(page.getByText(/only on this phone/)).toBeVisible();
  await expect(page.getByText(/for training/)).toHaveCount(0);
  await close(stranger);
  await other.end();
  await world.start();
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByText(/All at headquarters/)).toBeVisible();
  await expect(sentence).toHaveCount(0);
  await phone.end();
});

test('a note that is added later is on the phone as it is typed, and is one note only', async () => {
  test.setTimeout(120_000);
  const phone = await Phone.at(world.url);
  let page = await phone.open();
  await enroll(page, 'Назым Байжан');
  await log(page, 'at the door');
  await page.getByRole('link', { name: 'Visits' }).click();
  await page.locator('main li a').first().click();
  const visit = page.url();
  const field = (): ReturnType<Page['getByLabel']> => page.getByLabel('Add a note');
  await field().pressSequentially('half a late no');
  await page.waitForTimeout(300);
  await phone.kill();
  page = await phone.open();
  await page.goto(visit);
  await expect(field()).toHaveValue('half a late no');
  await field().pressSequentially('te');
  await page.getByRole('link', { name: 'Round' }).click();
  await page.goBack();
  await expect(field()).toHaveValue('half a late note');
  await page.getByRole('button', { name: 'Keep the note' }).click();
  await expect(page.getByRole('article').getByText('half a late note')).toBeVisible();
  await page.reload();
  await expect(page.getByRole('article')).toHaveCount(2);
  await expect(field()).toHaveValue('');
  await phone.end();
});

test('a visit that is being written in one window is not read anew because another took the update', async () => {
  test.setTimeout(120_000);
  let upgraded = false;
  const server = await between(0, world.port, () => (upgraded ? '// newer' : ''));
  const address = server.address();
  const phone = await Phone.at(
    `http://localhost:${typeof address === 'object' && address ? address.port : 0}`,
  );
  const writing = await phone.open();
  await enroll(writing, 'Олжас Ахметов');
  await expect.poll(() => writing.evaluate(() => Boolean(navigator.serviceWorker.controller))).toBe(true);
  await writing.reload();
  const other = await phone.open();
  await expect(other.getByRole('heading', { name: 'Round' })).toBeVisible();
  await writing
    .getByRole('button', { name: /^Log a visit:/ })
    .first()
    .click();
  await writing.getByLabel('Note').fill('while it came');
  await writing.evaluate(() => Object.assign(globalThis, { isTheSamePage: true }));
  upgraded = true;
  await other.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
  await other.evaluate(() => Object.assign(globalThis, { isTheSamePage: true }));
  await other.getByRole('button', { name: 'Update' }).click();
  const isTheSame = (page: Page): Promise<boolean> =>
    page.evaluate(() => 'isTheSamePage' in globalThis).catch(() => true);
  await expect.poll(() => isTheSame(other)).toBe(false);
  await expect(other.getByRole('link', { name: /Unfinished/ })).toBeVisible();
  expect(await isTheSame(writing)).toBe(true);
  await writing.getByText('contacted', { exact: true }).click();
  await writing.getByRole('button', { name: 'Done' }).click();
  await expect(writing.getByRole('heading', { name: 'Round' })).toBeVisible();
  await expect.poll(() => isTheSame(writing)).toBe(false);
  await phone.end();
  await close(server);
});

test('a second window behind one that does not answer says so, and opens as soon as it does', async () => {
  const phone = await Phone.at(world.url);
  const first = await phone.open();
  await enroll(first, 'Сания Мұрат');
  const busy = first.evaluate(() => {
    const until = performance.now() + 14_000;
    while (performance.now() < until);
  });
  const second = await phone.open();
  await expect(second.getByText(/open in another window/)).toBeVisible();
  await busy;
  await expect(second.getByRole('heading', { name: 'Round' })).toBeVisible();
  await phone.end();
});

test('what answers in the place of the server is told in words, and what waits goes through afterwards', async () => {
  const phone = await Phone.at(world.url);
  const page = await phone.open();
  await enroll(page, 'Бекзат Оралбай');
  await phone.offline(true);
  await log(page, 'while somebody else answers');
  await phone.offline(false);
  for (const [status, says] of [
    [503, /server is busy/],
    [404, /does not let the app through/],
    [200, /Perhaps the network asks you to sign in/],
  ] as const) {
    const answer = { status, contentType: 'text/html', body: '<h1>a proxy</h1>' };
    await page.context().route('**/v1/sync', (route) => route.fulfill(answer));
    await page.getByRole('button', { name: 'Sync now' }).click();
    await expect(page.getByText(says)).toBeVisible();
    await expect(page.getByText(/1 visit only on this phone/)).toBeVisible();
    await page.context().unroute('**/v1/sync');
  }
  await page.getByRole('button', { name: 'Sync now' }).click();
  await expect(page.getByText(/All at headquarters/)).toBeVisible();
  await phone.end();
});

test('a visit in a beat that was left waits for no signature, and holds nothing back', async () => {
  const phone = await Phone.at(world.url);
  const page = await phone.open();
  await enroll(page, 'Мейрам Исаев');
  await phone.offline(true);
  await log(page, 'before I left');
  await world.move('Мейрам Исаев', 'beat-02');
  await phone.offline(false);
  await expect(page.getByText(/All at headquarters/)).toBeVisible();
  await expect(page.getByText('ул. Сатпаева, 1', { exact: true })).toBeVisible();
  await log(page, 'in the new beat');
  await page.getByRole('link', { name: 'Visits' }).click();
  const own = page.locator('main li a', { hasText: 'Мейрам' });
  const [late, early] = [own.first(), own.last()];
  await expect(late).toContainText('at headquarters');
  await expect(early).toContainText('received');
  await early.click();
  await expect(page.getByText(/The beat is no longer yours/)).toBeVisible();
  await phone.end();
});
