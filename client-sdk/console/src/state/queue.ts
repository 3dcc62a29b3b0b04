import { tick } from 'svelte';
import { keyOf } from '$ui/state/keys';
import { notices } from '$ui/state/notices.svelte';

/** What is decided about one by one carries this attribute, and can have the focus. */
const STOP = '[data-stop]';
/** Where keys are letters. */
const WRITING = 'dialog, select, textarea, input:not([type="checkbox"])';

/** What a key is called in `aria-keyshortcuts`, whatever the layout: digits, too, are letters on a Kazakh keyboard. */
export function shortcutOf(event: Pick<KeyboardEvent, 'key' | 'code' | 'shiftKey'>): string | null {
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
  if (digit) return event.shiftKey ? null : digit;
  const letter = keyOf(event).toUpperCase();
  return /^[A-Z]$/.test(letter) ? letter : null;
}

/**
 * A queue that is worked by keys: J and K move from one to the next, and each one's own keys press its buttons, as their
 * `aria-keyshortcuts` say. Where one leaves the queue, the next has the focus in its place.
 */
export class Queue {
  /** Which one had the focus last: what had it may be gone. */
  #at = 0;

  /** To be told of every focus in the page. */
  attend = ({ target }: FocusEvent): void => {
    const at = this.#indexOf(target);
    if (at >= 0) this.#at = at;
  };

  onkeydown = (event: KeyboardEvent): void => {
    if (event.altKey || event.defaultPrevented) return;
    if (event.target instanceof Element && event.target.closest(WRITING)) return;
    if (event.ctrlKey || event.metaKey) {
      // What was just decided can be taken back for as long as it is told of.
      if (event.code !== 'KeyZ' || event.shiftKey || !notices.action) return;
      event.preventDefault();
      notices.act();
      return;
    }
    const key = shortcutOf(event);
    if (key === 'J' || key === 'K') {
      event.preventDefault();
      this.#move(key === 'J' ? 1 : -1);
    } else if (key) {
      const pressed = stopOf(document.activeElement)?.querySelector<HTMLElement>(
        `[aria-keyshortcuts="${key}"]:not(:disabled)`,
      );
      if (!pressed) return;
      event.preventDefault();
      pressed.click();
    }
  };

  /** After something was decided: whoever works by keys goes on where they were. */
  stay = async (): Promise<void> => {
    await tick();
    // Somebody has gone elsewhere meanwhile.
    if (document.activeElement && document.activeElement !== document.body) return;
    const stops = this.#stops();
    const next = stops[Math.min(this.#at, stops.length - 1)];
    (next ?? document.querySelector<HTMLElement>('main h1'))?.focus();
  };

  #move(by: number): void {
    const stops = this.#stops();
    const here = this.#indexOf(document.activeElement);
    const to = here < 0 ? this.#at : here + by;
    stops[Math.max(0, Math.min(to, stops.length - 1))]?.focus();
  }

  #indexOf(target: EventTarget | null): number {
    const stop = stopOf(target);
    return stop ? this.#stops().indexOf(stop) : -1;
  }

  #stops(): HTMLElement[] {
    return [...document.querySelectorAll<HTMLElement>(`main ${STOP}`)];
  }
}

function stopOf(target: EventTarget | null): HTMLElement | null {
  return target instanceof Element ? target.closest<HTMLElement>(STOP) : null;
}
