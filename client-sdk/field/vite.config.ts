import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { alias, shared } from '../vite.shared.ts';
import { precache } from './precache.ts';

const near = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const client = near('client');

export default defineConfig({
  ...shared,
  // Served beneath a server's own pages.
  base: '/field/',
  plugins: [...shared.plugins, precache()],
  build: {
    ...shared.build,
    rolldownOptions: {
      input: { index: near('index.html'), sw: near('src/sw.ts') },
      // The service worker's address never changes: a browser looks there for a newer one.
      output: { entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') },
    },
  },
  resolve: {
    alias: [
      ...alias,
      { find: /^aralau-client$/, replacement: `${client}/aralau.js` },
      { find: /^aralau-client\//, replacement: `${client}/` },
    ],
  },
});
