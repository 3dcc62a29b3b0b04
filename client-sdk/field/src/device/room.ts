// How much room the device's files may still take. `navigator.storage.estimate` does not say: Chromium answers what is used and
// 10 GiB, however little it would give. So a file is made that large, of nothing, and given back.

const NAME = 'aralau-room';
/** With less than this left, whoever logs should know. */
const LITTLE_BYTES = 64 << 20;

/** Whether there is room for a good while. Only in a dedicated worker; a browser that does not let itself be asked has room. */
export async function hasRoom(): Promise<boolean> {
  const root = await navigator.storage.getDirectory();
  try {
    const file = await root.getFileHandle(NAME, { create: true });
    const handle = await file.createSyncAccessHandle();
    try {
      handle.truncate(LITTLE_BYTES);
    } finally {
      handle.close();
    }
    return true;
  } catch (error) {
    return (error as Error).name !== 'QuotaExceededError';
  } finally {
    // It may not even have been made.
    await root.removeEntry(NAME).catch(() => undefined);
  }
}
