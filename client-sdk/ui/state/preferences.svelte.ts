import { recall, remember } from './kept';

export const LOCALES = ['ru', 'kk', 'en'] as const;
export type Locale = (typeof LOCALES)[number];

export const THEMES = ['system', 'light', 'dark', 'daylight'] as const;
export type Theme = (typeof THEMES)[number];

/** What a reader chose for this browser. */
class Preferences {
  locale = $state<Locale>(known(LOCALES, recall('locale')) ?? spoken());
  theme = $state<Theme>(known(THEMES, recall('theme')) ?? 'system');
  /** Whose days and hours are shown. The server tells whoever signs in. */
  timeZone = $state('Asia/Almaty');

  choose(locale: Locale): void {
    this.locale = locale;
    remember('locale', locale);
  }

  wear(theme: Theme): void {
    this.theme = theme;
    remember('theme', theme);
  }
}

function known<T extends string>(all: readonly T[], value: string | null): T | undefined {
  return all.find((one) => one === value);
}

/** The first of the browser's languages that we speak, else Russian. */
function spoken(): Locale {
  const languages = navigator.languages.map((tag) => tag.split('-')[0] ?? '');
  return languages.map((tag) => known(LOCALES, tag)).find((tag) => tag !== undefined) ?? 'ru';
}

export const preferences = new Preferences();
