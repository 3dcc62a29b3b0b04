import { recall, remember } from '$ui/state/kept';
import { device } from './phone.svelte';

const NAME = 'asked_to_keep';

/** The room that this browser gives, and whether it may take it back. */
class Room {
  persisted = $state<boolean | null>(null);
  used = $state(0);
  isLittle = $state(false);
  /** Whether the browser was asked to keep it, whatever it said: it is not asked over and over. */
  asked = $state(recall(NAME) !== null);

  async look(): Promise<void> {
    try {
      const [persisted, { usage = 0 }, hasRoom] = await Promise.all([
        navigator.storage.persisted(),
        navigator.storage.estimate(),
        device.hasRoom(),
      ]);
      Object.assign(this, { persisted, used: usage, isLittle: !hasRoom });
    } catch {
      // A browser that does not tell.
      this.persisted = null;
    }
  }

  /** Asks the browser never to clear it by itself. */
  async keep(): Promise<void> {
    await navigator.storage.persist().catch(() => false);
    this.asked = true;
    remember(NAME, 'yes');
    await this.look();
  }
}

export const room = new Room();
