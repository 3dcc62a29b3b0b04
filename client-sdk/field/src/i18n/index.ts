import { load, translate, type Loaders, type SharedKey, type Values } from '$ui/i18n/index.svelte';
import type { Locale } from '$ui/state/preferences.svelte';
import type en from './en.json';

export { isLoaded, tCode } from '$ui/i18n/index.svelte';

export type MessageKey = SharedKey | keyof typeof en;

const OWN: Loaders<Record<keyof typeof en, string>> = {
  ru: () => import('./ru.json'),
  kk: () => import('./kk.json'),
  en: () => import('./en.json'),
};

export const loadMessages = (locale: Locale): Promise<void> => load(locale, OWN);

/** A message in the language shown. */
export const t: (key: MessageKey, values?: Values) => string = translate;
