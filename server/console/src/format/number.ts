import { FORMAT_TAGS } from '../i18n/index.svelte';
import { preferences } from '../state/preferences.svelte';

export function count(value: number): string {
  return new Intl.NumberFormat(FORMAT_TAGS[preferences.locale]).format(value);
}

/** A share of a whole; nothing is a share of nothing. */
export function share(part: number, whole: number): string {
  if (whole === 0) return '—';
  const options = { style: 'percent', maximumFractionDigits: 0 } as const;
  return new Intl.NumberFormat(FORMAT_TAGS[preferences.locale], options).format(part / whole);
}

export function bytes(value: number): string {
  const [unit, size] =
    value < 1_000_000 ? (['kilobyte', 1_000] as const) : (['megabyte', 1_000_000] as const);
  const options = { style: 'unit', unit, maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(FORMAT_TAGS[preferences.locale], options).format(value / size);
}

export function metres(value: number): string {
  const [unit, size] = value < 1_000 ? (['meter', 1] as const) : (['kilometer', 1_000] as const);
  const options = { style: 'unit', unit, maximumFractionDigits: size === 1 ? 0 : 1 } as const;
  return new Intl.NumberFormat(FORMAT_TAGS[preferences.locale], options).format(value / size);
}
