// The device, as a page has it.
import type { Asked, Calls, Failure, Heard } from './calls.ts';

/** What the device could not do, and what helps. */
export class DeviceError extends Error {
  readonly code: string;
  readonly action: string;
  readonly detail: string;

  constructor({ message, code, action, detail }: Failure) {
    super(message);
    this.code = code;
    this.action = action;
    this.detail = detail;
  }
}

/** Starts the worker. Every call of it is one of `Calls`. */
export function startDevice(): Calls {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let last = 0;
  const end = (failure: Failure): void => {
    for (const { reject } of waiting.values()) reject(new DeviceError(failure));
    waiting.clear();
  };
  worker.onmessage = ({ data }: MessageEvent<Heard>) => {
    const asked = waiting.get(data.number);
    waiting.delete(data.number);
    if ('failure' in data) asked?.reject(new DeviceError(data.failure));
    else asked?.resolve(data.value);
  };
  worker.onerror = ({ message }) => end({ message, code: 'app_failed', action: 'report', detail: '' });
  return new Proxy({} as Calls, {
    get: (_, name) =>
      // Not a promise itself, however it is passed around.
      name === 'then'
        ? undefined
        : (...args: unknown[]) =>
            new Promise((resolve, reject) => {
              last += 1;
              waiting.set(last, { resolve, reject });
              worker.postMessage({ number: last, name: name as keyof Calls, args } satisfies Asked);
            }),
  });
}
