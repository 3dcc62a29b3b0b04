import { observe } from '../api/client';
import { session } from './session.svelte';

export type Link = 'connecting' | 'live' | 'down';

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 10_000;

/** Called with the codes of the beats whose logs have grown. */
export type Listener = (beats: ReadonlySet<string>) => void;

/** Whether the server is there, and what it says has changed. */
class Connection {
  link = $state<Link>('connecting');
  /** When the link was lost. */
  lostAt = $state<number | null>(null);
  /** When a log last grew. */
  changedAt = $state<number | null>(null);

  #source: EventSource | null = null;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #retryMs = FIRST_RETRY_MS;
  #retrying = false;
  /** Rows of each log as last told: after a break, the difference is what was missed. */
  #sizes = new Map<string, number>();
  #listeners = new Set<Listener>();

  constructor() {
    observe({
      reached: () => this.#reached(),
      lost: () => this.#lost(),
      unauthorized: () => session.end(),
    });
    addEventListener('online', () => void this.retry());
    addEventListener('offline', () => this.#lost());
  }

  open(): void {
    if (this.#source) return;
    const source = new EventSource('/v1/events');
    this.#source = source;
    source.addEventListener('open', () => this.#alive());
    source.addEventListener('changed', (event) => this.#changed((event as MessageEvent<string>).data));
    // The browser would retry by itself, but not after an answer that is an error, and at its own pace.
    source.addEventListener('error', () => this.#lost());
  }

  close(): void {
    clearTimeout(this.#retryTimer);
    this.#source?.close();
    this.#source = null;
    this.#sizes.clear();
    this.link = 'connecting';
  }

  /** Tries again now. */
  async retry(): Promise<void> {
    if (this.#retrying) return;
    this.#retrying = true;
    clearTimeout(this.#retryTimer);
    // Tells an ended session from a server that is down: an event stream does not say why it failed.
    await session.resume();
    this.#retrying = false;
    if (session.current && !session.problem) this.open();
    else if (session.problem) this.#later();
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #alive(): void {
    this.link = 'live';
    this.lostAt = null;
    this.#retryMs = FIRST_RETRY_MS;
  }

  #reached(): void {
    if (this.link === 'down' && !this.#source) void this.retry();
  }

  #lost(): void {
    this.#source?.close();
    this.#source = null;
    if (this.link !== 'down') {
      this.link = 'down';
      this.lostAt = Date.now();
    }
    if (!this.#retrying) this.#later();
  }

  #later(): void {
    clearTimeout(this.#retryTimer);
    // Spread out, so that a server that comes back is not met by everybody at once.
    this.#retryTimer = setTimeout(() => void this.retry(), this.#retryMs * (0.5 + Math.random() / 2));
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  #changed(data: string): void {
    const { scopes } = JSON.parse(data) as { scopes: Record<string, number> };
    const isFirst = this.#sizes.size === 0;
    const grown = Object.entries(scopes).filter(([beat, size]) => this.#sizes.get(beat) !== size);
    for (const [beat, size] of grown) this.#sizes.set(beat, size);
    if (isFirst || grown.length === 0) return;
    this.changedAt = Date.now();
    const beats = new Set(grown.map(([beat]) => beat));
    for (const listener of this.#listeners) listener(beats);
  }
}

export const connection = new Connection();
