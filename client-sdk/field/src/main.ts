import '$ui/app.css';
import './field.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { device } from './state/phone.svelte';

declare global {
  /** The device alone, in builds for tests. */
  var device: import('./device/calls.ts').Calls | undefined;
}

if (import.meta.env.MODE === 'test') globalThis.device = device;

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
mount(App, { target });
