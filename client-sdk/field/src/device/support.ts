// What the device needs of a browser, each by the name of the sentence that says so where it is missing.

export type Missing = 'secure' | 'storage' | 'keys' | 'wasm' | 'tabs';

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
