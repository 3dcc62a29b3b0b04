// The device alone, for tests and a browser's own console: `await device.status()`.
import { startDevice } from './device';

declare global {
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
