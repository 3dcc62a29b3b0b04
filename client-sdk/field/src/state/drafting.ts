/**
 * Keeps what is being written down: the newest word is on its way to the disk at once, one at a time, and none is written that
 * another has replaced meanwhile.
 */
export class Keeper<T> {
  #next: T | null = null;
  #running: Promise<void> | null = null;

  constructor(
    readonly write: (written: T) => Promise<void>,
    readonly told: (problem: unknown) => void,
  ) {}

  keep(written: T): void {
    this.#next = written;
    this.#running ??= this.#run().finally(() => (this.#running = null));
  }

  /** When all of it is on the disk. */
  async kept(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    for (let written = this.#next; written !== null; written = this.#next) {
      this.#next = null;
      try {
        await this.write(written);
        this.told(null);
      } catch (problem) {
        this.told(problem);
      }
    }
  }
}
