import type { VisitForm } from '../../../wasm/src/types.ts';

/**
 * Keeps what is being written down: the newest word is on its way to the disk at once, one at a time, and none is written that
 * another has replaced meanwhile.
 */
export class Keeper {
  #next: VisitForm | null = null;
  #running: Promise<void> | null = null;

  constructor(
    readonly write: (form: VisitForm) => Promise<void>,
    readonly told: (problem: unknown) => void,
  ) {}

  keep(form: VisitForm): void {
    this.#next = form;
    this.#running ??= this.#run().finally(() => (this.#running = null));
  }

  /** When all of it is on the disk. */
  async kept(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    for (let form = this.#next; form; form = this.#next) {
      this.#next = null;
      try {
        await this.write(form);
        this.told(null);
      } catch (problem) {
        this.told(problem);
      }
    }
  }
}
