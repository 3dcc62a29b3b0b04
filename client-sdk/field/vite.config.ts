import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const client = fileURLToPath(new URL('client', import.meta.url));

export default defineConfig({
  // Served beneath a server's own pages.
  base: './',
  resolve: {
    alias: [
      { find: /^aralau-client$/, replacement: `${client}/aralau.js` },
      { find: /^aralau-client\//, replacement: `${client}/` },
    ],
  },
  build: { target: 'es2022', assetsInlineLimit: 0 },
  worker: { format: 'es' },
});
