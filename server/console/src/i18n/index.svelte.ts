import { IntlMessageFormat } from 'intl-messageformat';
import { preferences, type Locale } from '../state/preferences.svelte';
import type en from './en.json';

export type MessageKey = keyof typeof en;
type Messages = Record<MessageKey, string>;
type Values = Record<string, string | number>;

/** One file is loaded: that of the language in use. */
const LOADERS: Record<Locale, () => Promise<{ default: Messages }>> = {
  ru: () => import('./ru.json'),
  kk: () => import('./kk.json'),
  en: () => import('./en.json'),
};

/**
 * The tag by which the browser formats numbers and dates. Chromium carries no Kazakh data, and in numbers and numeric
 * dates Kazakh follows the same conventions as Russian.
 */
export const FORMAT_TAGS: Record<Locale, string> = { ru: 'ru-RU', kk: 'ru-RU', en: 'en-GB' };

let shown = $state.raw<{ locale: Locale; messages: Messages } | null>(null);
/** Parsed messages of the language shown. */
let parsed = new Map<string, IntlMessageFormat>();

/** Loads the chosen language. Until it is there, the page stays in the former one. */
export async function loadMessages(locale: Locale): Promise<void> {
  const { default: messages } = await LOADERS[locale]();
  if (locale !== preferences.locale) return;
  parsed = new Map();
  shown = { locale, messages };
  document.documentElement.lang = locale;
}

export function isLoaded(): boolean {
  return shown !== null;
}

/** A message in the language shown. */
export function t(key: MessageKey, values?: Values): string {
  if (!shown) return '';
  let message = parsed.get(key);
  if (!message) {
    message = new IntlMessageFormat(shown.messages[key], FORMAT_TAGS[shown.locale], undefined, {
      // Messages hold no markup.
      ignoreTag: true,
    });
    parsed.set(key, message);
  }
  return message.format<string>(values) as string;
}

/** The message `prefix.code` if there is one: for codes of the server that grow with time. */
export function tCode(prefix: string, code: string): string | null {
  const key = `${prefix}.${code}`;
  return shown && Object.hasOwn(shown.messages, key) ? t(key as MessageKey) : null;
}
