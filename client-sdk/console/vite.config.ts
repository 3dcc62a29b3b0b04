import { defineConfig } from 'vite';
import { alias, shared } from '../vite.shared.ts';

export default defineConfig({
  ...shared,
  resolve: { alias },
  // The map is one large chunk of its own, loaded by the map page only.
  build: { ...shared.build, chunkSizeWarningLimit: 1200 },
});
