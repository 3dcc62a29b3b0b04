/** With less than this left, whoever logs should know. */
const LITTLE_BYTES = 64 << 20;

const NAME = 'aralau.asked_to_keep';

function recall(): string | null {
  try {
    return localStorage.getItem(NAME);
  } catch {
    return null;
  }
}

function remember(): void {
  try {
    localStorage.setItem(NAME, 'yes');
  } catch {
    return;
  }
}

/** The room that this browser gives, and whether it may take it back. */
class Room {
  persisted = $state<boolean | null>(null);
  used = $state(0);
  quota = $state(0);
  /** Whether the browser was asked to keep it, whatever it said: it is not asked over and over. */
  asked = $state(recall() !== null);
  readonly isLittle = $derived(this.quota > 0 && this.quota - this.used < LITTLE_BYTES);

  async look(): Promise<void> {
    try {
      const [persisted, { usage = 0, quota = 0 }] = await Promise.all([
        navigator.storage.persisted(),
        navigator.storage.estimate(),
      ]);
      Object.assign(this, { persisted, used: usage, quota });
    } catch {
      // A browser that does not tell.
      this.persisted = null;
    }
  }

  /** Asks the browser never to clear it by itself. */
  async keep(): Promise<void> {
    await navigator.storage.persist().catch(() => false);
    this.asked = true;
    remember();
    await this.look();
  }
}

export const room = new Room();
