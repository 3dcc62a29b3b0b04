import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

const WORKER = 'sw.js';

/** Tells the service worker what the app is made of: names, and one name for all of their content. */
export function precache(): Plugin {
  return {
    name: 'aralau-precache',
    enforce: 'post',
    generateBundle(_, bundle) {
      const worker = bundle[WORKER];
      if (worker?.type !== 'chunk') throw new Error(`${WORKER} was not built`);
      const folder = fileURLToPath(new URL('public/', import.meta.url));
      const built = Object.values(bundle).filter(({ fileName }) => fileName !== WORKER);
      const files = [
        ...built.map((file) => ({
          name: file.fileName === 'index.html' ? './' : file.fileName,
          content: file.type === 'chunk' ? file.code : file.source,
        })),
        ...readdirSync(folder).map((name) => ({ name, content: readFileSync(folder + name) })),
      ].toSorted((one, other) => (one.name < other.name ? -1 : 1));
      const digest = createHash('sha256');
      for (const { name, content } of files) digest.update(name).update('\0').update(content).update('\0');
      const names = JSON.stringify(files.map(({ name }) => name));
      worker.code = worker.code
        .replaceAll('__FILES__', () => names)
        .replaceAll('__VERSION__', () => JSON.stringify(digest.digest('hex').slice(0, 16)));
    },
  };
}
