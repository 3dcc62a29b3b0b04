// The device without a screen, for tests: nothing is done but what they ask for. Only in builds for tests.
import { startDevice } from './device';

declare global {
  var device: ReturnType<typeof startDevice>;
  /** What the store's contract came to in this browser, what a device writes by the vector, and how many scenes of a script there were. */
  var contract: (script: string) => Promise<unknown>;
}

globalThis.device = startDevice();
globalThis.contract = (script) =>
  new Promise((resolve) => {
    const worker = new Worker(new URL('./device/contract.worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage(script);
  });
