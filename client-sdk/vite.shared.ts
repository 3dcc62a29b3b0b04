import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { UserConfig } from 'vite';

/** What is near this file. */
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Where `npm run dev:…` finds a server; what is built is served by the server itself. */
const server = process.env['ARALAU_SERVER'] ?? 'http://127.0.0.1:8470';

/** What the apps and their tests have in common. */
export const plugins = () => [svelte({ configFile: here('svelte.config.js') })];
export const alias = [{ find: '$ui', replacement: here('ui') }];

export const shared = {
  plugins: plugins(),
  build: {
    target: 'es2022',
    // An inlined file would be a data: address, which the Content-Security-Policy allows to images only.
    assetsInlineLimit: 0,
  },
  worker: { format: 'es' },
  server: { proxy: { '/v1': { target: server }, '/basemap.pmtiles': { target: server } } },
} satisfies UserConfig;
