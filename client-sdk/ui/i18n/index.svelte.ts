import { IntlMessageFormat } from 'intl-messageformat';
import { preferences, type Locale } from '../state/preferences.svelte';
import type en from './en.json';

/** What both apps say. Each app has words of its own beside it, in files of its own. */
export type SharedKey = keyof typeof en;
export type Values = Record<string, string | number>;
export type Messages = Record<string, string>;
/** One file is loaded: that of the language in use. */
export type Loaders<Shape extends Messages> = Record<Locale, () => Promise<{ default: Shape }>>;

const SHARED: Loaders<Record<SharedKey, string>> = {
  ru: () => import('./ru.json'),
  kk: () => import('./kk.json'),
  en: () => import('./en.json'),
};

/**
 * The tag by which the browser formats numbers and dates. Chromium carries no Kazakh data, and in numbers and numeric
 * dates Kazakh follows the same conventions as Russian.
 */
export const FORMAT_TAGS: Record<Locale, string> = { ru: 'ru-RU', kk: 'ru-RU', en: 'en-GB' };

// The tags above are ones that every browser has: to ask for each costs a phone a third of a second when the first is made.
IntlMessageFormat.resolveLocale = (tags) => new Intl.Locale([tags].flat()[0] ?? 'ru-RU');

let shown = $state.raw<{ locale: Locale; messages: Messages } | null>(null);
/** Parsed messages of the language shown. */
let parsed = new Map<string, IntlMessageFormat>();

/** Loads the chosen language: what both apps say, and what this one does. Until it is there, the page stays in the former one. */
export async function load(locale: Locale, own: Loaders<Messages>): Promise<void> {
  const files = await Promise.all([SHARED[locale](), own[locale]()]);
  if (locale !== preferences.locale) return;
  parsed = new Map();
  shown = { locale, messages: Object.assign({}, ...files.map((file) => file.default)) };
  document.documentElement.lang = locale;
}

export function isLoaded(): boolean {
  return shown !== null;
}

/** A message of both apps. An app's own `t` knows those of the app as well. */
export const t: (key: SharedKey, values?: Values) => string = translate;

/** A message in the language shown, by any key there is: for the typed `t` of an app. */
export function translate(key: string, values?: Values): string {
  if (!shown) return '';
  const text = shown.messages[key] ?? key;
  // Most are plain: making a format of each takes a phone longer than all else of a first screen.
  if (!/[{}']/.test(text)) return text;
  let message = parsed.get(key);
  if (!message) {
    message = new IntlMessageFormat(text, FORMAT_TAGS[shown.locale], undefined, {
      // Messages hold no markup.
      ignoreTag: true,
    });
    parsed.set(key, message);
  }
  return message.format<string>(values) as string;
}

/** The message `prefix.code` if there is one: for codes of the server that grow with time. */
export function tCode(prefix: string, code: string, values?: Values): string | null {
  const key = `${prefix}.${code}`;
  return shown && Object.hasOwn(shown.messages, key) ? translate(key, values) : null;
}
