import { FORMAT_TAGS } from '../i18n/index.svelte';
import { preferences } from '../state/preferences.svelte';

const formats = new Map<string, Intl.NumberFormat>();

/** Made once: making a format takes longer than using it a thousand times. */
function formatted(value: number, options: Intl.NumberFormatOptions = {}): string {
  const tag = FORMAT_TAGS[preferences.locale];
  const key = `${tag} ${options.style} ${options.unit} ${options.maximumFractionDigits}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(tag, options);
    formats.set(key, format);
  }
  return format.format(value);
}

export function count(value: number): string {
  return formatted(value);
}

/** A share of a whole; nothing is a share of nothing. */
export function share(part: number, whole: number): string {
  return whole === 0 ? '—' : formatted(part / whole, { style: 'percent', maximumFractionDigits: 0 });
}

export function bytes(value: number): string {
  const [unit, size] =
    value < 1_000_000 ? (['kilobyte', 1_000] as const) : (['megabyte', 1_000_000] as const);
  return formatted(value / size, { style: 'unit', unit, maximumFractionDigits: 1 });
}

export function metres(value: number): string {
  const [unit, size] = value < 1_000 ? (['meter', 1] as const) : (['kilometer', 1_000] as const);
  return formatted(value / size, { style: 'unit', unit, maximumFractionDigits: size === 1 ? 0 : 1 });
}
