export const LOCALES = ['ru', 'kk', 'en'] as const;
export type Locale = (typeof LOCALES)[number];

export const THEMES = ['system', 'light', 'dark', 'daylight'] as const;
export type Theme = (typeof THEMES)[number];

/** What a reader chose for this browser. */
class Preferences {
  locale = $state<Locale>(known(LOCALES, stored('locale')) ?? spoken());
  theme = $state<Theme>(known(THEMES, stored('theme')) ?? 'system');
  /** Whose days and hours are shown. The server tells whoever signs in. */
  timeZone = $state('Asia/Almaty');

  choose(locale: Locale): void {
    this.locale = locale;
    store('locale', locale);
  }

  wear(theme: Theme): void {
    this.theme = theme;
    store('theme', theme);
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

// A browser may forbid storage: then the choice lasts as long as the page.
function stored(name: string): string | null {
  try {
    return localStorage.getItem(`aralau.${name}`);
  } catch {
    return null;
  }
}

function store(name: string, value: string): void {
  try {
    localStorage.setItem(`aralau.${name}`, value);
  } catch {
    return;
  }
}

export const preferences = new Preferences();
