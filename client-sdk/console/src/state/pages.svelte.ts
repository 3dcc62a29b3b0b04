import { Problem } from '../api/problem';

export interface Page<Row> {
  rows: Row[];
  next: string | null;
}

export interface PageWanted {
  cursor?: string;
  limit: number;
}

const PAGE_ROWS = 100;
/** What the server gives at once, at most. */
const MAX_PAGE_ROWS = 1_000;

/** A list that the server gives in pages. */
export class Pages<Row> {
  rows = $state.raw<Row[]>([]);
  next = $state<string | null>(null);
  loading = $state(false);
  problem = $state.raw<Problem | null>(null);
  /** Whether a first page has come. */
  ready = $state(false);
  #asked = 0;

  constructor(readonly fetch: (wanted: PageWanted) => Promise<Page<Row>>) {}

  /**
   * The first page, in place of all that is here, or as many rows as are wanted at `least`; until they come, what is here stays on
   * screen.
   */
  reload = (least = PAGE_ROWS): Promise<void> => {
    this.ready = false;
    const limit = Math.min(Math.max(least, PAGE_ROWS), MAX_PAGE_ROWS);
    return this.#read({ limit }, (page) => page.rows);
  };

  /** Once more what went wrong. */
  again = (): Promise<void> => (this.ready ? this.refresh() : this.reload());

  /** Nothing, and nothing is asked for. */
  clear = (): void => {
    this.#asked += 1;
    [this.rows, this.next, this.problem] = [[], null, null];
    this.loading = this.ready = false;
  };

  /** Everything that is here once more, as it is by now. What is beyond one answer's limit stays as it was. */
  refresh = (): Promise<void> => {
    const kept = this.rows.slice(MAX_PAGE_ROWS);
    const limit = Math.min(Math.max(this.rows.length, PAGE_ROWS), MAX_PAGE_ROWS);
    const beyond = kept.length > 0 ? this.next : null;
    return this.#read({ limit }, (page) => [...page.rows, ...kept], beyond);
  };

  more = async (): Promise<void> => {
    if (this.loading || this.next === null) return;
    const known = this.rows;
    await this.#read({ limit: PAGE_ROWS, cursor: this.next }, (page) => [...known, ...page.rows]);
  };

  async #read(wanted: PageWanted, merged: (page: Page<Row>) => Row[], next?: string | null): Promise<void> {
    const asked = ++this.#asked;
    this.loading = true;
    try {
      const page = await this.fetch(wanted);
      if (asked !== this.#asked) return;
      this.rows = merged(page);
      this.next = next ?? page.next;
      this.problem = null;
      this.ready = true;
    } catch (thrown) {
      if (asked === this.#asked) this.problem = Problem.from(thrown);
    } finally {
      if (asked === this.#asked) this.loading = false;
    }
  }
}
