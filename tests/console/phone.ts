// A phone's browser: a profile of its own, a screen to touch, and whatever may happen to it.
import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { chromium, type BrowserContext, type Page } from '@playwright/test';

/** Where a server has the app. */
export const ROOT = '/field/';
const DIST = join(import.meta.dirname, '../../client-sdk/field/dist');
const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};

export class Phone {
  #context: BrowserContext | null = null;

  private constructor(
    readonly profile: string,
    readonly url: string,
    readonly locale: string,
  ) {}

  static async at(url: string, locale = 'en-GB'): Promise<Phone> {
    return new Phone(await mkdtemp(join(tmpdir(), 'aralau-phone-')), url, locale);
  }

  async #launch(): Promise<BrowserContext> {
    return (this.#context ??= await chromium.launchPersistentContext(this.profile, {
      ...(process.env['ARALAU_CHROMIUM'] && { executablePath: process.env['ARALAU_CHROMIUM'] }),
      args: ['--no-sandbox', '--disable-gpu'],
      viewport: { width: 360, height: 740 },
      deviceScaleFactor: 2,
      hasTouch: true,
      locale: this.locale,
      timezoneId: 'Asia/Almaty',
      permissions: ['geolocation', 'clipboard-write', 'background-sync'],
      geolocation: { latitude: 43.24, longitude: 76.9015, accuracy: 12 },
    }));
  }

  async open(path = ROOT): Promise<Page> {
    const context = await this.#launch();
    const page = await context.newPage();
    await page.goto(this.url + path);
    return page;
  }

  /** Its clock is so far ahead, in its pages and its worker alike. To be called before it is opened. */
  async wrongClock(aheadMs: number): Promise<void> {
    await this.#launch();
    const ahead = `{ const now = Date.now; Date.now = () => now() + ${aheadMs}; }`;
    await this.#context?.addInitScript(ahead);
    await this.#context?.route('**/assets/worker-*.js', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: `${ahead}\n${await answer.text()}` });
    });
  }

  /** Out of reach of any network, or back. */
  async offline(isOffline: boolean): Promise<void> {
    await this.#context?.setOffline(isOffline);
  }

  /** As a phone does that runs out of memory. */
  async kill(): Promise<void> {
    const context = this.#context;
    this.#context = null;
    const ended = new Promise((resolve) => context?.once('close', resolve));
    execFileSync('pkill', ['-KILL', '-f', this.profile]);
    await ended;
  }

  async end(): Promise<void> {
    await this.#context?.close();
    await rm(this.profile, { recursive: true, force: true });
  }
}

/** The app as it is built for tests and, beneath the same origin, whatever server answers at that port at the time. And where. */
export async function serve(port: number): Promise<[Server, string]> {
  const server = createServer((asked, answer) => {
    const path = new URL(asked.url ?? '/', 'http://page').pathname;
    if (path.startsWith('/v1/')) {
      const passed = request(
        { port, host: '127.0.0.1', path: asked.url, method: asked.method, headers: asked.headers },
        (heard) => {
          answer.writeHead(heard.statusCode ?? 502, heard.headers);
          heard.pipe(answer);
        },
      );
      passed.on('error', () => answer.destroy());
      asked.pipe(passed);
      return;
    }
    const file = join(DIST, path === ROOT ? 'index.html' : path.slice(ROOT.length));
    if (!path.startsWith(ROOT) || !existsSync(file)) {
      answer.writeHead(404).end();
      return;
    }
    answer.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
    createReadStream(file).pipe(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return [server, `http://localhost:${typeof address === 'object' && address ? address.port : 0}`];
}
