import { today } from '$ui/format/calendar';
import { LOCALES, preferences, type Locale } from '$ui/state/preferences.svelte';
import { ask } from '../api/client';
import { Problem } from '../api/problem';

/** A list that the server writes into files, and which part of it. */
export interface Exported {
  name: 'visits' | 'coverage' | 'places' | 'devices' | 'conflicts';
  /** As the list itself is asked for. */
  query: Record<string, string | number | boolean | undefined>;
}

/** Visits have an address of their own, from before there were others. */
const ADDRESS: Record<Exported['name'], string> = {
  visits: '/v1/export',
  coverage: '/v1/coverage',
  places: '/v1/places',
  devices: '/v1/devices',
  conflicts: '/v1/conflicts',
};

interface Written {
  format: string;
  style?: Record<string, string>;
  /** Of visits alone. */
  more?: Record<string, string>;
  /** Holds what a program reads, whoever asks for it. */
  wordless?: true;
}

/** What there is to choose from: a format of the server's, and how it is to be written. */
const FILES = {
  xlsx: { format: 'xlsx', more: { sheets: 'all' } },
  // Excel in Russian or Kazakh splits at semicolons only, and takes 43.25 for text or a date.
  csv_excel: { format: 'csv', style: { delimiter: 'semicolon', decimal: 'comma' } },
  csv: { format: 'csv' },
  geojson: { format: 'geojson', wordless: true },
} as const satisfies Record<string, Written>;
export type File = keyof typeof FILES;

/** The files of a list; only visits are points. */
export function choices(name: Exported['name']): File[] {
  const all = Object.keys(FILES) as File[];
  return name === 'visits' ? all : all.filter((file) => file !== 'geojson');
}

/** In whose words a file is: in a language's, or in none's but the codes. */
export const WORDINGS = [...LOCALES, 'codes'] as const;
export type Wording = Locale | 'codes';

/** Rows that a sheet of Excel holds. */
export const MAX_SHEET_ROWS = 1_048_575;

/** One file on its way: a list with its filter. */
export class Export {
  state = $state<'idle' | 'running' | 'done' | 'failed'>('idle');
  received = $state(0);
  /** What the server said it would be; null where it cannot know. */
  total = $state<number | null>(null);
  name = $state('');
  problem = $state.raw<Problem | null>(null);
  #abort: AbortController | null = null;

  async run(file: File, { name, query }: Exported, wording: Wording): Promise<void> {
    const { format, style, more, wordless }: Written = FILES[file];
    this.#abort = new AbortController();
    this.state = 'running';
    this.received = 0;
    this.total = null;
    this.problem = null;
    this.name = `${name}-${today(preferences.timeZone)}.${format}`;
    try {
      const wanted = {
        ...query,
        ...style,
        ...(name === 'visits' && more),
        ...(wording !== 'codes' && !wordless && { language: wording }),
      };
      const given = Object.entries(wanted).filter(([, value]) => value !== undefined);
      const asked = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
      const response = await ask(`${ADDRESS[name]}.${format}?${asked}`, { signal: this.#abort.signal });
      save(await this.#read(response), this.name);
      this.state = 'done';
    } catch (thrown) {
      if (thrown instanceof DOMException && thrown.name === 'AbortError') {
        this.state = 'idle';
        return;
      }
      // A stream that breaks off throws as well: half a file is never saved as if it were whole.
      this.problem = Problem.from(thrown);
      this.state = 'failed';
    }
  }

  cancel(): void {
    this.#abort?.abort();
  }

  async #read(response: Response): Promise<Blob> {
    // Packed on the way, the length told is not that of what arrives here.
    const length = response.headers.get('content-length');
    this.total = length && !response.headers.has('content-encoding') ? Number(length) : null;
    const pieces: BlobPart[] = [];
    const reader = response.body?.getReader();
    for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read()) {
      pieces.push(piece.value as Uint8Array<ArrayBuffer>);
      this.received += piece.value.length;
    }
    return new Blob(pieces, { type: response.headers.get('content-type') ?? 'application/octet-stream' });
  }
}

function save(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // The browser has taken the address by the next turn; a minute is long enough for the slowest.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
