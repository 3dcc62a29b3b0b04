import { defineConfig } from 'vitest/config';
import { alias, plugins } from './vite.shared.ts';

export default defineConfig({
  plugins: plugins(),
  resolve: { alias },
  test: {
    include: ['ui/**/*.test.ts', 'console/src/**/*.test.ts', 'field/src/**/*.test.ts'],
    environment: 'node',
    env: { TZ: 'UTC' },
  },
});
