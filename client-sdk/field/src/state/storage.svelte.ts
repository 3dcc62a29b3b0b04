/** With less than this left, whoever logs should know. */
const LITTLE_BYTES = 64 << 20;

/** The room that this browser gives, and whether it may take it back. */
class Room {
  persisted = $state<boolean | null>(null);
  used = $state(0);
  quota = $state(0);
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
    await this.look();
  }
}

export const room = new Room();
