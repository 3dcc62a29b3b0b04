import { failed, type Failed } from '$ui/state/failed';
import type { Report } from '../../../wasm/src/types.ts';
import { device, phone } from './phone.svelte';
import { room } from './storage.svelte';

/** While something waits on this phone it tries at least so often, later ever less often. */
const FIRST_PAUSE_MS = 15_000;
const LAST_PAUSE_MS = 10 * 60_000;
/** Others' words are asked for so often while the app is looked at. */
const QUIET_PAUSE_MS = 5 * 60_000;
/** What is logged in one go goes in one request. */
const SOON_MS = 800;

/** Syncs by itself: when something was logged, when the network returns, and from time to time. */
class Syncing {
  running = $state(false);
  problem = $state.raw<Failed | null>(null);
  report = $state.raw<Report | null>(null);
  online = $state(navigator.onLine);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pause = FIRST_PAUSE_MS;

  begin(): void {
    addEventListener('online', () => {
      this.online = true;
      this.#pause = FIRST_PAUSE_MS;
      this.soon();
    });
    addEventListener('offline', () => (this.online = false));
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.soon();
    });
    // The browser's own word that the network is back, where it gives one: also while the app is not looked at.
    navigator.serviceWorker?.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (data === 'sync') this.soon();
    });
    this.soon();
  }

  /** Shortly: after something was logged. */
  soon(): void {
    this.#after(SOON_MS);
  }

  /** Now, and whoever asked may wait for how it went. */
  async now(): Promise<void> {
    clearTimeout(this.#timer);
    if (!phone.status?.person) return;
    void room.look();
    if (!navigator.onLine) {
      this.online = false;
      void askToBeWoken();
      this.#after(this.#pause);
      return;
    }
    this.running = true;
    try {
      this.report = await device.sync(0);
      this.problem = null;
      this.#pause = FIRST_PAUSE_MS;
      if (phone.isElsewhere) await phone.look(true);
    } catch (thrown) {
      this.problem = failed(thrown);
      void askToBeWoken();
      if (this.problem.code === 'device_unknown') await phone.look();
    } finally {
      this.running = false;
      phone.progress = null;
      await phone.refresh();
      const waits = (phone.status?.unsent ?? 0) > 0;
      this.#after(waits || this.problem ? this.#pause : QUIET_PAUSE_MS);
      if (this.problem) this.#pause = Math.min(this.#pause * 2, LAST_PAUSE_MS);
    }
  }

  #after(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.now(), ms);
  }
}

/** Background Sync, where there is one. */
async function askToBeWoken(): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration();
  const sync = (registration as { sync?: { register(tag: string): Promise<void> } } | undefined)?.sync;
  await sync?.register('aralau').catch(() => undefined);
}

export const syncing = new Syncing();
