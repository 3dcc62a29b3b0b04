import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { alias, shared } from '../vite.shared.ts';

const client = fileURLToPath(new URL('client', import.meta.url));

export default defineConfig({
  ...shared,
  // Served beneath a server's own pages.
  base: './',
  resolve: {
    alias: [
      ...alias,
      { find: /^aralau-client$/, replacement: `${client}/aralau.js` },
      { find: /^aralau-client\//, replacement: `${client}/` },
    ],
  },
});
