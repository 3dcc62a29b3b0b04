// The device's key: WebCrypto's, which signs and is never shown, kept by the browser itself.
import { Lacking } from './support';

const DATABASE = 'aralau';
const KEYS = 'keys';
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/** Signs for one device. */
export interface Vault {
  /** The compressed point, 33 bytes. */
  readonly publicKey: Uint8Array;
  /** r and s, 64 bytes, over SHA-256 of the message. */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** The key of that name, made if there is none. */
export function openVault(name: string): Promise<Vault> {
  return opened(name).catch((error: unknown) => {
    throw Lacking.of('keys', error);
  });
}

async function opened(name: string): Promise<Vault> {
  const database = await open();
  try {
    // A key that was not kept would be another one the next time: first kept, then used.
    const kept = await ask<CryptoKeyPair | undefined>(database, 'readonly', (keys) => keys.get(name));
    const pair = kept ?? (await made(database, name));
    const point = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
    return {
      publicKey: compressed(point),
      sign: async (message) =>
        new Uint8Array(
          await crypto.subtle.sign(
            { name: 'ECDSA', hash: 'SHA-256' },
            pair.privateKey,
            message as BufferSource,
          ),
        ),
    };
  } finally {
    database.close();
  }
}

async function made(database: IDBDatabase, name: string): Promise<CryptoKeyPair> {
  const pair = await crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
  await ask(database, 'readwrite', (keys) => keys.add(pair, name));
  return pair;
}

/** SEC 1: x, and whether y is odd, in place of both. */
function compressed(point: Uint8Array): Uint8Array {
  const odd = (point.at(-1) ?? 0) & 1;
  return new Uint8Array([2 | odd, ...point.subarray(1, 33)]);
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(KEYS);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error as DOMException);
  });
}

/** One request, when all of its transaction is on disk. */
function ask<T>(
  database: IDBDatabase,
  mode: IDBTransactionMode,
  request: (keys: IDBObjectStore) => IDBRequest,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(KEYS, mode, { durability: 'strict' });
    const asked = request(transaction.objectStore(KEYS));
    transaction.oncomplete = () => resolve(asked.result as T);
    transaction.onabort = () => reject((transaction.error ?? asked.error) as DOMException);
  });
}
