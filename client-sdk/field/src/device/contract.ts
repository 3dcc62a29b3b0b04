// Whether the store in this browser keeps its contract; a page of its own, in builds for tests only.

declare global {
  var contract: () => Promise<unknown>;
}

globalThis.contract = () =>
  new Promise((resolve) => {
    const worker = new Worker(new URL('./contract.worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }) => resolve(data);
  });

export {};
