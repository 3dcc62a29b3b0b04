// Latin, Cyrillic and the letters of Kazakh; a browser loads only the files whose letters are shown.
import '@fontsource-variable/inter/index.css';
import '$ui/app.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { startDevice } from './device';

declare global {
  /** For tests and a browser's own console: `await device.status()`. */
  var device: ReturnType<typeof startDevice>;
  /** Whether the store in this browser keeps its contract; only in builds for tests. */
  var contract: (() => Promise<unknown>) | undefined;
}

globalThis.device = startDevice();
if (import.meta.env.MODE === 'test') {
  globalThis.contract = () =>
    new Promise((resolve) => {
      const worker = new Worker(new URL('./device/contract.worker.ts', import.meta.url), { type: 'module' });
      worker.onmessage = ({ data }) => resolve(data);
    });
}

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
mount(App, { target });
