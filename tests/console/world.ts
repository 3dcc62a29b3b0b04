// A server and devices as an operator and inspectors run them: real processes, real folders.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, type Page } from '@playwright/test';

const run = promisify(execFile);
const BINARY = process.env['ARALAU_BIN'] ?? join(import.meta.dirname, '../../target/debug/aralau');

type Role = 'administrator' | 'headquarters' | 'auditor' | 'supervisor';

async function aralau(...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run(BINARY, [...args, '--json'], { maxBuffer: 1 << 24 });
  const lines = stdout.trim().split('\n').filter(Boolean);
  return lines.length > 0 ? (JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown>) : {};
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** An inspector's phone. */
export class Device {
  constructor(
    readonly home: string,
    readonly places: string[],
  ) {}

  /** `position`: degrees north, degrees east and the accuracy in metres. */
  async log(outcome: string, note: string, place = 0, at?: string, position?: number[]): Promise<string> {
    const logged = await aralau(
      ...['device', '--home', this.home, 'log', '--place', this.places[place] ?? '', '--type', 'door_to_door'],
      ...['--outcome', outcome, '--note', note, ...(at ? ['--at', at] : [])],
      ...(position ? ['--position', position.join(',')] : []),
    );
    return String(logged['visit'] ?? logged['id']);
  }

  async sync(): Promise<void> {
    await aralau('device', '--home', this.home, 'sync');
  }

  async edit(visit: string, ...args: string[]): Promise<void> {
    await aralau('device', '--home', this.home, 'edit', visit, ...args);
  }

  /** The newest receipt of the beat, as the server signed it. */
  async receipt(): Promise<string> {
    const { scopes } = (await aralau('device', '--home', this.home, 'status')) as {
      scopes: { beat: unknown; receipt: string | null }[];
    };
    return scopes.find(({ beat }) => beat)?.receipt ?? '';
  }

  /** What the device knows of its places. */
  async addresses(): Promise<string> {
    const { stdout } = await run(BINARY, ['device', '--home', this.home, 'places', '--json'], { maxBuffer: 1 << 24 });
    return stdout;
  }

  async status(): Promise<Record<string, unknown>> {
    return aralau('device', '--home', this.home, 'status');
  }

  async visits(): Promise<string> {
    const { stdout } = await run(BINARY, ['device', '--home', this.home, 'visits', '--json'], { maxBuffer: 1 << 24 });
    return stdout;
  }
}

export class World {
  #server: ChildProcess | null = null;

  private constructor(
    readonly folder: string,
    readonly port: number,
    readonly settings: readonly string[] = [],
  ) {}

  /** `settings`: further flags of `aralau serve`. */
  static async begin(...settings: string[]): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), 'aralau-console-')), await freePort(), settings);
    await aralau('admin', '--data', world.data, 'sample');
    await world.start();
    return world;
  }

  /** A server of which nobody has made anything yet. */
  static async empty(): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), 'aralau-console-')), await freePort());
    await world.start();
    return world;
  }

  /** Serves what is already in `folder`/data, which stays. */
  static async on(folder: string): Promise<World> {
    const world = new World(folder, await freePort());
    await world.start();
    return world;
  }

  get data(): string {
    return join(this.folder, 'data');
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const address = `127.0.0.1:${this.port}`;
    this.#server = spawn(BINARY, ['serve', '--data', this.data, '--listen', address, ...this.settings], {
      stdio: 'ignore',
    });
    await expect(async () => expect((await fetch(`${this.url}/readyz`)).ok).toBe(true)).toPass();
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server || server.exitCode !== null) return;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    await ended;
  }

  /** Puts a backup of this moment in the place of what is served: devices wait to be confirmed, tokens have ended. */
  async restore(): Promise<void> {
    const file = join(this.folder, 'backup');
    await aralau('backup', '--data', this.data, file);
    await this.stop();
    await rm(this.data, { recursive: true });
    await aralau('restore', file, '--data', this.data);
    await this.start();
  }

  async end(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Within some beats, or within all where none are named. */
  async token(role: Role, ...beats: string[]): Promise<string> {
    const within = beats.flatMap((beat) => ['--beat', beat]);
    const made = await aralau(
      ...['admin', '--data', this.data, 'token', '--role', role, '--name', `${role} of the test`, ...within],
    );
    return String(made['token']);
  }

  /** Further places of a beat, as an operator loads them. */
  async addPlaces(beat: string, ...addresses: string[]): Promise<void> {
    const file = join(this.folder, 'places.csv');
    await writeFile(file, ['beat,address', ...addresses.map((address) => `${beat},"${address}"`)].join('\n'));
    await aralau('admin', '--data', this.data, 'load', '--places', file);
  }

  /** Shuts out whatever devices somebody has. */
  async revoke(name: string): Promise<void> {
    for (const id of await this.#devices(name)) await aralau('admin', '--data', this.data, 'revoke', id);
  }

  /** Takes somebody's beats away and gives another one. */
  async move(name: string, beat: string): Promise<void> {
    for (const id of await this.#devices(name)) await aralau('admin', '--data', this.data, 'assign', id, '--beat', beat);
  }

  async #devices(name: string): Promise<string[]> {
    const { stdout } = await run(BINARY, ['admin', '--data', this.data, 'devices', '--json'], { maxBuffer: 1 << 24 });
    const devices = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; person: { name: string } });
    return devices.filter(({ person }) => person.name === name).map(({ id }) => id);
  }

  async device(name: string, beat = 'beat-01'): Promise<Device> {
    return this.enroll(name, await this.code(name, beat));
  }

  /** A code by which somebody's device becomes known. */
  async code(name: string, beat = 'beat-01'): Promise<string> {
    const made = await aralau('admin', '--data', this.data, 'enroll', '--beat', beat, '--inspector', name);
    return String(made['code']);
  }

  async enroll(name: string, code: string): Promise<Device> {
    const home = join(this.folder, name);
    await aralau('device', '--home', home, 'enroll', '--server', this.url, '--code', code);
    await aralau('device', '--home', home, 'sync');
    const { stdout } = await run(BINARY, ['device', '--home', home, 'places', '--json']);
    const places = [...stdout.matchAll(/"(?:place|id)":\s*"([0-9a-f-]{36})"/g)].map(([, id]) => id ?? '');
    return new Device(home, places);
  }
}

/** Signs in on the way to the history. */
export async function signIn(page: Page, world: World, token: string, locale = 'en'): Promise<void> {
  await page.addInitScript((chosen) => {
    localStorage.getItem('aralau.locale') ?? localStorage.setItem('aralau.locale', chosen);
  }, locale);
  await page.goto(`${world.url}/visits`);
  await page.locator('input[type=password]').fill(token);
  await page.keyboard.press('Enter');
  await expect(page.locator('nav').first()).toBeVisible();
}
