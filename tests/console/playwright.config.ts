import { defineConfig } from '@playwright/test';

/** A Chromium that is installed already, where Playwright's own cannot be had. */
const executablePath = process.env['ARALAU_CHROMIUM'];

export default defineConfig({
  testDir: '.',
  // One server and its devices a file: the tests of a file tell one story, in order.
  workers: 1,
  // What `./dev field` builds first.
  testIgnore: process.env['ARALAU_FIELD'] ? [] : ['**/{phone,field,troubled-field,field-screenshots,kills}.spec.ts'],
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  use: {
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    timezoneId: 'Asia/Almaty',
    trace: 'retain-on-failure',
    launchOptions: {
      ...(executablePath && { executablePath }),
      // The map draws with WebGL, also where there is no graphics card.
      args: ['--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
    },
  },
});
