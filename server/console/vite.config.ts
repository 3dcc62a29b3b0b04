import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` finds a server; the built console is served by the server itself. */
const server = process.env['ARALAU_SERVER'] ?? 'http://127.0.0.1:8470';

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: 'es2022',
    // An inlined file would be a data: address, which the Content-Security-Policy allows to images only.
    assetsInlineLimit: 0,
    // The map is one large chunk of its own, loaded by the map page only.
    chunkSizeWarningLimit: 1200,
  },
  worker: { format: 'es' },
  server: { proxy: { '/v1': { target: server }, '/basemap.pmtiles': { target: server } } },
  test: { include: ['src/**/*.test.ts'], environment: 'node', env: { TZ: 'UTC' } },
});
