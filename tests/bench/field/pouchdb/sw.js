// The page without a network.
const FILES = ['./', 'page.js', 'pouchdb.min.js']
self.addEventListener('install', (event) =>
  event.waitUntil(caches.open('page').then((cache) => cache.addAll(FILES).then(() => self.skipWaiting()))),
)
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
self.addEventListener('fetch', (event) => {
  if (event.request.url.startsWith(self.registration.scope))
    event.respondWith(caches.match(event.request).then((kept) => kept ?? fetch(event.request)))
})
