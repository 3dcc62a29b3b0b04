import { today } from '$ui/format/calendar';
import { preferences } from '$ui/state/preferences.svelte';
import { ask } from '../api/client';
import { Problem } from '../api/problem';
import { toRequest, type VisitFilter } from './filter';

/** What there is to choose from: a format of the server's, and how it is to be written. */
const FILES = {
  csv: { format: 'csv' },
  // Excel in Russian or Kazakh splits at semicolons only, and takes 43.25 for text or a date.
  csv_excel: { format: 'csv', style: { delimiter: 'semicolon', decimal: 'comma' } },
  xlsx: { format: 'xlsx' },
  geojson: { format: 'geojson' },
} as const;
export type File = keyof typeof FILES;
export const CHOICES = Object.keys(FILES) as File[];

/** One file on its way: all visits of a filter. */
export class Export {
  state = $state<'idle' | 'running' | 'done' | 'failed'>('idle');
  received = $state(0);
  /** What the server said it would be; null where it cannot know. */
  total = $state<number | null>(null);
  name = $state('');
  problem = $state.raw<Problem | null>(null);
  #abort: AbortController | null = null;

  async run(file: File, filter: VisitFilter): Promise<void> {
    const { format, style }: { format: string; style?: Record<string, string> } = FILES[file];
    this.#abort = new AbortController();
    this.state = 'running';
    this.received = 0;
    this.total = null;
    this.problem = null;
    this.name = `visits-${today(preferences.timeZone)}.${format}`;
    try {
      const wanted = { ...toRequest(filter), ...style };
      const query = new URLSearchParams(Object.entries(wanted).map(([name, value]) => [name, String(value)]));
      const response = await ask(`/v1/export.${format}?${query}`, { signal: this.#abort.signal });
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
