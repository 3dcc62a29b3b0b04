const TICK_MS = 15_000;

/** What “ago” is counted from: moves on by itself, so that a page left open stays true. */
class Now {
  ms = $state(Date.now());

  constructor() {
    setInterval(() => (this.ms = Date.now()), TICK_MS);
  }
}

export const now = new Now();
