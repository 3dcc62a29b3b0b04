const SHOWN_MS = 6_000;
/** Whoever is to take something back has to read what it was first. */
const SHOWN_WITH_ACTION_MS = 10_000;

export interface NoticeAction {
  /** What its button says. */
  text: string;
  run: () => unknown;
}

/** Short words about what was just done; read out by screen readers. */
class Notices {
  current = $state<string | null>(null);
  action = $state.raw<NoticeAction | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `action` can be had for as long as the words are shown. */
  say(words: string, action: NoticeAction | null = null): void {
    this.current = words;
    this.action = action;
    this.letGo();
  }

  /** Stays: somebody reaches for it. */
  hold(): void {
    clearTimeout(this.#timer);
  }

  letGo(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.close(), this.action ? SHOWN_WITH_ACTION_MS : SHOWN_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.current = null;
    this.action = null;
  }

  act(): void {
    const { action } = this;
    this.close();
    action?.run();
  }
}

export const notices = new Notices();
