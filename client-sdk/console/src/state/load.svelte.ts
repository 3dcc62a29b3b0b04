import { api, body, type Schemas } from '../api/client';
import { Problem } from '../api/problem';
import { directory } from './directory.svelte';

export type Planned = Schemas['Planned'];
export type Loaded = Schemas['Loaded'];
export type Changes = NonNullable<Planned['changes']>;
export type Remark = Planned['faults']['first'][number];

/** As the server bounds it. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** A table, and what is chosen about it. */
export interface Wanted {
  file: Blob;
  name: string;
  /** Who is listed keeps no other beats. */
  replaceGrants?: boolean;
  /** What is listed is no more. */
  retire?: boolean;
  /** The place that the one row is about. */
  place?: string;
}

/** Everything that the tables say is so already. */
const NOTHING: Loaded = { beats: 0, places: 0, people: [] };

/** A table on its way into the organisation: looked at as a plan, then done. */
export class Load {
  planned = $state.raw<Planned | null>(null);
  /** What is shown is another plan than the one that was to be done. */
  renewed = $state(false);
  busy = $state(false);
  problem = $state.raw<Problem | null>(null);
  #sent: { bytes: ArrayBuffer; wanted: Wanted } | null = null;
  #asked = 0;

  /** Nothing is looked at any more. */
  clear = (): void => {
    this.#asked += 1;
    this.#sent = this.planned = this.problem = null;
    this.renewed = this.busy = false;
  };

  /** Asks what would become of the organisation. */
  plan = async (wanted: Wanted): Promise<void> => {
    this.clear();
    const asked = this.#asked;
    if (wanted.file.size > MAX_FILE_BYTES) {
      this.problem = new Problem('body_too_large', 413, '');
      return;
    }
    this.busy = true;
    try {
      // What is done is what was looked at, whatever becomes of the file meanwhile.
      const sent = { bytes: await wanted.file.arrayBuffer(), wanted };
      const planned = await plan(sent.bytes, wanted);
      if (asked !== this.#asked) return;
      [this.#sent, this.planned] = [sent, planned];
    } catch (thrown) {
      if (asked === this.#asked) this.problem = Problem.from(thrown);
    } finally {
      if (asked === this.#asked) this.busy = false;
    }
  };

  /** Has the plan done that is shown. `null`: it was not, and what is shown says why. */
  apply = async (): Promise<Loaded | null> => {
    const [sent, name] = [this.#sent, this.planned?.plan];
    if (!sent || !name) return null;
    this.problem = null;
    this.renewed = false;
    this.busy = true;
    try {
      return await this.#apply(name, sent.bytes, sent.wanted);
    } catch (thrown) {
      this.problem = Problem.from(thrown);
      return null;
    } finally {
      this.busy = false;
    }
  };

  async #apply(name: string, bytes: ArrayBuffer, wanted: Wanted): Promise<Loaded | null> {
    const params = { path: { plan: name }, query: choices(wanted) };
    try {
      const loaded = await body(api.POST('/v1/organisation/plans/{plan}/apply', { params, ...raw(bytes) }));
      // The lists of beats in filters are what they were until the next visit: nothing is lost by that.
      await directory.load().catch(() => undefined);
      return loaded;
    } catch (thrown) {
      const problem = Problem.from(thrown);
      if (problem.code !== 'plan_stale') throw problem;
    }
    this.planned = await plan(bytes, wanted);
    this.renewed = true;
    // What was to be done has been done by somebody else.
    return this.planned.nothing_to_do ? NOTHING : null;
  }
}

async function plan(bytes: ArrayBuffer, wanted: Wanted): Promise<Planned> {
  const params = { query: choices(wanted) };
  return body(api.POST('/v1/organisation/plans', { params, ...raw(bytes) }));
}

function choices({ name, replaceGrants, retire, place }: Wanted) {
  return {
    file: name,
    ...(replaceGrants && { replace_grants: true }),
    ...(retire && { retire: true }),
    ...(place && { place }),
  };
}

/** A body that is sent as it is. */
function raw(bytes: ArrayBuffer) {
  return {
    // The description calls bytes a list of numbers.
    body: bytes as unknown as number[],
    bodySerializer: () => bytes,
    headers: { 'Content-Type': 'application/octet-stream' },
  };
}
