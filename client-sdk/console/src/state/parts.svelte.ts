import { recall, remember } from '$ui/state/kept';
import { Problem } from '../api/problem';
import { connection } from './connection.svelte';

/** Which page was loaded anew because a part of it could not be had, and when; kept for as long as the tab. */
const RENEWED = 'renewed';
const RENEW_AGAIN_MS = 60_000;
/** Whoever is writing something is asked about so often whether they still are. */
const TYPING_MS = 2_000;

/**
 * Parts of the console that are fetched when they are first wanted.
 *
 * A browser remembers for as long as a page lives that a script could not be had, or one that it is made of, and does not ask
 * again: what helps is to load the page anew, at the address where it is.
 */
class Parts {
  /** One is wanted, and there was no server to give it. */
  #awaited = $state(false);

  /** A part, or a {@link Problem} that says why not. */
  async need<T>(load: () => Promise<T>): Promise<T> {
    try {
      const part = await load();
      this.#awaited = false;
      return part;
    } catch {
      // A script that fails does not say whether there is a server.
      await connection.retry();
      if (connection.link === 'down') {
        this.#awaited = true;
        throw Problem.unreachable();
      }
      // There is one, and it has a newer console: the parts of this one are gone.
      if (mayRenew()) location.reload();
      throw new Problem('part_missing', 0, '');
    }
  }

  /** Loads the page anew as soon as the server is back, if it lacks a part by then. To be called while a component is set up. */
  renewWhenBack(): void {
    $effect(() => {
      if (!this.#awaited || connection.link !== 'live') return;
      const renew = () => isTyping() || location.reload();
      renew();
      const timer = setInterval(renew, TYPING_MS);
      return () => clearInterval(timer);
    });
  }
}

/** Whether there are words on the page that nobody has yet but their writer. */
function isTyping(): boolean {
  const fields = document.querySelectorAll<HTMLInputElement>('main textarea, dialog :is(input, textarea)');
  return document.querySelector('dialog[open]') !== null || [...fields].some(({ value }) => value !== '');
}

/** Not twice in a row: a part that a new page lacks as well would be asked for without end. */
function mayRenew(): boolean {
  if (isTyping()) return false;
  const [path, at] = recall(RENEWED, 'tab')?.split(' ') ?? [];
  if (path === location.pathname && Date.now() - Number(at) < RENEW_AGAIN_MS) return false;
  return remember(RENEWED, `${location.pathname} ${Date.now()}`, 'tab');
}

export const parts = new Parts();
