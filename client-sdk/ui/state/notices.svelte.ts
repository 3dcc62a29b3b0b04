const SHOWN_MS = 6_000;

/** Short words about what was just done; read out by screen readers. */
class Notices {
  current = $state<string | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;

  say(words: string): void {
    clearTimeout(this.#timer);
    this.current = words;
    this.#timer = setTimeout(() => (this.current = null), SHOWN_MS);
  }
}

export const notices = new Notices();
