import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { alias, shared } from '../vite.shared.ts';
import { precache } from './precache.ts';

const near = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** What `./dev` builds of Rust, into a folder of its own. */
const module = (name: string, folder: string) => [
  { find: new RegExp(`^${name}$`), replacement: `${folder}/aralau.js` },
  { find: new RegExp(`^${name}/`), replacement: `${folder}/` },
];

export default defineConfig(({ mode }) => ({
  ...shared,
  // Served beneath a server's own pages.
  base: '/field/',
  plugins: [...shared.plugins, precache()],
  build: {
    ...shared.build,
    rolldownOptions: {
      input: {
        index: near('index.html'),
        sw: near('src/sw.ts'),
        ...(mode === 'test' && { bare: near('bare.html') }),
      },
      // The service worker's address never changes: a browser looks there for a newer one.
      output: { entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') },
    },
  },
  resolve: {
    alias: [
      ...alias,
      ...module('aralau-client', near('client')),
      ...module('aralau-contract', near('contract')),
    ],
  },
}));
