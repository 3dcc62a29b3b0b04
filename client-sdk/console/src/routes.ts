import type { Component } from 'svelte';
import type { Action } from './api/client';
import type { MessageKey } from './i18n';
import type { IconName } from '$ui/components/icons';

/** A page of its own; loaded when it is first opened. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a page takes no properties, however its type says so
type Load = () => Promise<{ default: Component<any> }>;

interface Route {
  path: RegExp;
  load: Load;
  /** Without it the page is neither offered nor opened. */
  needs: Action;
}

export interface Section {
  href: string;
  name: MessageKey;
  icon: IconName;
  needs: Action;
}

export const SECTIONS: readonly Section[] = [
  { href: '/', name: 'nav.today', icon: 'tasks', needs: 'read_visits' },
  { href: '/visits', name: 'nav.visits', icon: 'list', needs: 'read_visits' },
  { href: '/places', name: 'nav.places', icon: 'pin', needs: 'read_visits' },
  { href: '/map', name: 'nav.map', icon: 'map', needs: 'read_visits' },
  { href: '/coverage', name: 'nav.coverage', icon: 'chart', needs: 'read_visits' },
  { href: '/conflicts', name: 'nav.conflicts', icon: 'fork', needs: 'read_visits' },
  { href: '/quarantine', name: 'nav.quarantine', icon: 'shield', needs: 'read_quarantine' },
  { href: '/devices', name: 'nav.devices', icon: 'phone', needs: 'read_devices' },
  { href: '/organisation', name: 'nav.organisation', icon: 'house', needs: 'administer' },
  { href: '/tokens', name: 'nav.tokens', icon: 'key', needs: 'manage_tokens' },
];

const ROUTES: readonly Route[] = [
  { path: /^\/$/, needs: 'read_visits', load: () => import('./pages/Today.svelte') },
  { path: /^\/visits$/, needs: 'read_visits', load: () => import('./pages/Visits.svelte') },
  {
    path: /^\/visits\/[0-9a-f-]{36}$/,
    needs: 'read_visits',
    load: () => import('./pages/Visit.svelte'),
  },
  { path: /^\/map$/, needs: 'read_visits', load: () => import('./pages/Map.svelte') },
  { path: /^\/coverage$/, needs: 'read_visits', load: () => import('./pages/Coverage.svelte') },
  { path: /^\/places$/, needs: 'read_visits', load: () => import('./pages/Places.svelte') },
  {
    path: /^\/repeat-problems$/,
    needs: 'read_visits',
    load: () => import('./pages/RepeatProblems.svelte'),
  },
  { path: /^\/conflicts$/, needs: 'read_visits', load: () => import('./pages/Conflicts.svelte') },
  { path: /^\/quarantine$/, needs: 'read_quarantine', load: () => import('./pages/Quarantine.svelte') },
  { path: /^\/devices$/, needs: 'read_devices', load: () => import('./pages/Devices.svelte') },
  {
    path: /^\/organisation$/,
    needs: 'administer',
    load: () => import('./pages/Organisation.svelte'),
  },
  { path: /^\/tokens$/, needs: 'manage_tokens', load: () => import('./pages/Tokens.svelte') },
];

export function match(path: string): Route | null {
  return ROUTES.find((route) => route.path.test(path)) ?? null;
}

/** Where a page is now. Bookmarks and letters hold addresses of the history from before the start page was there. */
export function movedTo(path: string, search: string): string | null {
  return path === '/' && search ? `/visits${search}` : null;
}

/** The visit that a path names. */
export function visitOf(path: string): string {
  return /^\/visits\/([^/]+)$/.exec(path)?.[1] ?? '';
}

export function visitHref(id: string, beat?: string | null): string {
  return `/visits/${id}${beat ? `?${new URLSearchParams({ beat })}` : ''}`;
}
