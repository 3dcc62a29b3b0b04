import { failed, type Failed } from './failed';

/** One thing read from the server, or the device. While it is read again, what is known stays on screen. */
export class Resource<T> {
  data = $state.raw<T | null>(null);
  problem = $state.raw<Failed | null>(null);
  loading = $state(false);
  #asked = 0;

  constructor(readonly fetch: () => Promise<T>) {}

  /** Nothing, and nothing is asked for. */
  clear = (): void => {
    this.#asked += 1;
    [this.data, this.problem, this.loading] = [null, null, false];
  };

  load = async (): Promise<void> => {
    const asked = ++this.#asked;
    this.loading = true;
    try {
      const data = await this.fetch();
      // An older answer that comes late must not replace a newer one.
      if (asked !== this.#asked) return;
      this.data = data;
      this.problem = null;
    } catch (thrown) {
      if (asked === this.#asked) this.problem = failed(thrown);
    } finally {
      if (asked === this.#asked) this.loading = false;
    }
  };
}
