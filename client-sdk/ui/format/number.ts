import { FORMAT_TAGS } from '../i18n/index.svelte';
import { preferences } from '../state/preferences.svelte';

const formats = new Map<string, Intl.NumberFormat>();

/** Made once: making a format takes longer than using it a thousand times. */
function format(options: Intl.NumberFormatOptions = {}): Intl.NumberFormat {
  const tag = FORMAT_TAGS[preferences.locale];
  const key = `${tag} ${options.style} ${options.unit} ${options.maximumFractionDigits}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.NumberFormat(tag, options);
    formats.set(key, found);
  }
  return found;
}

export function count(value: number): string {
  return format().format(value);
}

/** A share of a whole; nothing is a share of nothing. */
export function share(part: number, whole: number): string {
  return whole === 0 ? '—' : format({ style: 'percent', maximumFractionDigits: 0 }).format(part / whole);
}

export function bytes(value: number): string {
  const [unit, size] =
    value < 1_000_000 ? (['kilobyte', 1_000] as const) : (['megabyte', 1_000_000] as const);
  return format({ style: 'unit', unit, maximumFractionDigits: 1 }).format(value / size);
}

export function metres(value: number): string {
  const [unit, size] = value < 1_000 ? (['meter', 1] as const) : (['kilometer', 1_000] as const);
  return format({ style: 'unit', unit, maximumFractionDigits: size === 1 ? 0 : 1 }).format(value / size);
}

/** A unit's short name: “m”. */
export function unit(name: 'meter' | 'kilometer'): string {
  const parts = format({ style: 'unit', unit: name, maximumFractionDigits: 1 }).formatToParts(1);
  return parts.find(({ type }) => type === 'unit')?.value ?? name;
}
