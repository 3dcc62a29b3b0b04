// The app without a network: all of it is put aside when it is first opened, and served from there. A newer version is put
// aside whole before it takes over, so that no two versions ever mix.
/// <reference lib="webworker" />

export {};
declare const self: ServiceWorkerGlobalScope;

/** The app's files with what names their content; written when the app is built. */
const FILES = __FILES__;
/** Names these files and no others. */
const VERSION = __VERSION__;
declare const __FILES__: string[];
declare const __VERSION__: string;

const PREFIX = 'aralau-field-';
const CACHE = PREFIX + VERSION;
const INDEX = './';

const address = (path: string): string => new URL(path, self.registration.scope).href;

self.addEventListener('install', (event) => {
  event.waitUntil(putAside());
});

async function putAside(): Promise<void> {
  const cache = await caches.open(CACHE);
  // Past the browser's own cache: an old page there would name files that are gone.
  await cache.addAll(FILES.map((path) => new Request(address(path), { cache: 'reload' })));
  // The first one needs nobody's leave; a later one waits until it is told.
  if (!self.registration.active) await self.skipWaiting();
}

self.addEventListener('activate', (event) => {
  event.waitUntil(takeOver());
});

async function takeOver(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

self.addEventListener('message', ({ data }) => {
  if (data === 'take over') void self.skipWaiting();
});

self.addEventListener('fetch', (event) => {
  const { method, url, mode } = event.request;
  // The server's interface is never answered from here.
  if (method !== 'GET' || !url.startsWith(self.registration.scope)) return;
  event.respondWith(answer(event.request, mode === 'navigate' ? address(INDEX) : url));
});

async function answer(request: Request, kept: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(kept)) ?? fetch(request);
}

// The browser's word that the network is back. The device's files are a page's worker's: a page that is open is told.
self.addEventListener('sync', (event) => {
  (event as ExtendableEvent).waitUntil(
    self.clients
      .matchAll({ type: 'window' })
      .then((pages) => pages.forEach((page) => page.postMessage('sync'))),
  );
});
