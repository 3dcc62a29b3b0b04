import type { Component } from 'svelte';
import type { IconName } from '$ui/components/icons';
import type { MessageKey } from './i18n';
import Log from './pages/Log.svelte';
import Phone from './pages/Phone.svelte';
import Place from './pages/Place.svelte';
import Round from './pages/Round.svelte';
import Visit from './pages/Visit.svelte';
import Visits from './pages/Visits.svelte';

interface Section {
  path: string;
  name: MessageKey;
  icon: IconName;
}

export const SECTIONS: readonly Section[] = [
  { path: '/', name: 'nav.round', icon: 'pin' },
  { path: '/visits', name: 'nav.visits', icon: 'list' },
  { path: '/phone', name: 'nav.phone', icon: 'phone' },
];

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a page takes its id or nothing, however its type says so
type Page = Component<any>;

/** All pages are in one file: it is on the phone anyway, and none may be missing where there is no network. */
const ROUTES: readonly { path: RegExp; page: Page }[] = [
  { path: /^\/$/, page: Round },
  { path: /^\/places\/([0-9a-f-]{36})$/, page: Place },
  { path: /^\/log\/([0-9a-f-]{36})$/, page: Log },
  { path: /^\/visits$/, page: Visits },
  { path: /^\/visits\/([0-9a-f-]{36})$/, page: Visit },
  { path: /^\/phone$/, page: Phone },
];

export function match(path: string): { page: Page; id: string } | null {
  for (const { path: pattern, page } of ROUTES) {
    const found = pattern.exec(path);
    if (found) return { page, id: found[1] ?? '' };
  }
  return null;
}
