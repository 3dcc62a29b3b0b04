// The device, as a page has it. One tab has the worker, and the others ask through that one: a browser gives the files of the
// store to one owner at a time. When its tab is closed, the next one takes its place.
export type { Calls, DeviceEvent } from './calls.ts';

import { READS, type Asked, type Calls, type DeviceEvent, type Failure, type Heard } from './calls.ts';

const NAME = 'aralau-device';
const CLOSED: Failure = {
  message: 'the tab that had the device was closed',
  code: 'tab_closed',
  action: 'retry',
  detail: '',
};

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

interface Waiting {
  asked: Asked;
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

/** Between tabs: what is asked of whichever has the worker, what is answered to one, and what all hear. */
type Said = { from: string; asked: Asked } | { to: string; heard: Heard } | { event: DeviceEvent };

/** Starts the device, or finds the tab that has it. Every call is one of `Calls`; `hear` is told of what happens besides. */
export function startDevice(hear: (event: DeviceEvent) => void = () => undefined): Calls {
  const tab = crypto.randomUUID();
  const channel = new BroadcastChannel(NAME);
  const waiting = new Map<number, Waiting>();
  let last = 0;
  let ask: (asked: Asked) => void = () => undefined;

  const settle = (heard: Heard): void => {
    const one = waiting.get(heard.number);
    waiting.delete(heard.number);
    if ('failure' in heard) one?.reject(new DeviceError(heard.failure));
    else one?.resolve(heard.value);
  };

  const askAnother = (): void => {
    ask = (asked) => channel.postMessage({ from: tab, asked } satisfies Said);
    channel.onmessage = ({ data }: MessageEvent<Said>) => {
      if ('event' in data) hear(data.event);
      else if ('to' in data && data.to === tab) settle(data.heard);
    };
    for (const { asked } of waiting.values()) ask(asked);
  };

  const takeOver = (mayAsk: (name: keyof Calls) => boolean): Promise<never> => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    // Numbers of the worker's own, as every tab counts from one.
    const asking = new Map<number, { from: string; number: number }>();
    let given = 0;
    const pass = (from: string, asked: Asked): void => {
      given += 1;
      asking.set(given, { from, number: asked.number });
      worker.postMessage({ ...asked, number: given } satisfies Asked);
    };
    worker.onmessage = ({ data }: MessageEvent<Heard | DeviceEvent>) => {
      if ('event' in data) {
        hear(data);
        channel.postMessage({ event: data } satisfies Said);
        return;
      }
      const asker = asking.get(data.number);
      asking.delete(data.number);
      if (!asker) return;
      const heard = { ...data, number: asker.number };
      if (asker.from === tab) settle(heard);
      else channel.postMessage({ to: asker.from, heard } satisfies Said);
    };
    worker.onerror = ({ message }) => {
      const failure = { message, code: 'app_failed', action: 'report', detail: '' };
      for (const number of waiting.keys()) settle({ number, failure });
    };
    channel.onmessage = ({ data }: MessageEvent<Said>) => {
      if ('asked' in data) pass(data.from, data.asked);
    };
    ask = (asked) => pass(tab, asked);
    for (const { asked } of [...waiting.values()]) {
      if (mayAsk(asked.name)) ask(asked);
      else settle({ number: asked.number, failure: CLOSED });
    }
    return new Promise(() => undefined);
  };

  void navigator.locks.request(NAME, { ifAvailable: true }, async (lock) => {
    // Held for as long as this tab is open.
    if (lock) await takeOver(() => true);
    askAnother();
    // What the other tab was doing when it was closed may be done: only the person can look.
    void navigator.locks.request(NAME, () => {
      const held = takeOver((name) => READS.has(name));
      hear({ event: 'changed' });
      return held;
    });
  });

  return new Proxy({} as Calls, {
    get: (_, name) =>
      // Not a promise itself, however it is passed around.
      name === 'then'
        ? undefined
        : (...args: unknown[]) =>
            new Promise((resolve, reject) => {
              last += 1;
              const asked: Asked = { number: last, name: name as keyof Calls, args };
              waiting.set(last, { asked, resolve, reject });
              ask(asked);
            }),
  });
}
