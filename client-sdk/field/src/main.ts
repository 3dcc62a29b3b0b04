import '$ui/app.css';
import './field.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { device } from './state/phone.svelte';

declare global {
  /** The device alone, in builds for tests. */
  var device: import('./device/calls.ts').Calls | undefined;
  /** Whether the store in this browser keeps its contract; only in builds for tests. */
  var contract: (() => Promise<unknown>) | undefined;
}

if (import.meta.env.MODE === 'test') {
  globalThis.device = device;
  globalThis.contract = () =>
    new Promise((resolve) => {
      const worker = new Worker(new URL('./device/contract.worker.ts', import.meta.url), { type: 'module' });
      worker.onmessage = ({ data }) => resolve(data);
    });
}

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
mount(App, { target });
