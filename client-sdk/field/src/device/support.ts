// What the device needs of a browser, each by the name of the sentence that says so where it is missing.

export type Missing = 'secure' | 'storage' | 'keys' | 'wasm' | 'tabs';

/** What a browser has and refuses to give, told where it is asked for. */
export class Lacking extends Error {
  readonly code = 'browser_lacks';
  readonly action = 'report';

  constructor(readonly detail: Missing) {
    super(`the browser refuses: ${detail}`);
  }

  /** Of what was thrown: what passes by itself, as a full disk may, is no lack. */
  static of(what: Missing, thrown: unknown): unknown {
    const isRefused = thrown instanceof DOMException && REFUSALS.includes(thrown.name);
    return isRefused ? new Lacking(what) : thrown;
  }
}

const REFUSALS = ['SecurityError', 'NotAllowedError', 'NotSupportedError'];

/** What this browser lacks. */
export function missing(): Missing[] {
  const has: Record<Missing, boolean> = {
    // Without it browsers offer none of the rest.
    secure: isSecureContext,
    storage: typeof navigator.storage?.getDirectory === 'function' && 'FileSystemFileHandle' in globalThis,
    keys: Boolean(globalThis.crypto?.subtle) && 'indexedDB' in globalThis,
    wasm: typeof WebAssembly === 'object' && typeof Worker === 'function',
    tabs: Boolean(navigator.locks) && typeof BroadcastChannel === 'function',
  };
  const lacks = (Object.keys(has) as Missing[]).filter((name) => !has[name]);
  return lacks.includes('secure') ? ['secure'] : lacks;
}
