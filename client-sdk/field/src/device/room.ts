// How much room the device's files may still take. `navigator.storage.estimate` does not say: Chromium answers what is used and
// 10 GiB, however little it would give. So a file is made that large, of nothing, and given back.

const NAME = 'aralau-room';
/** With less than this left, whoever logs should know. */
export const LITTLE_BYTES = 64 << 20;

/** Whether so much more would be given. Only in a dedicated worker; a browser that does not let itself be asked has room. */
export async function hasRoom(bytes = LITTLE_BYTES): Promise<boolean> {
  const root = await navigator.storage.getDirectory();
  const file = await root.getFileHandle(NAME, { create: true });
  const handle = await file.createSyncAccessHandle();
  try {
    handle.truncate(bytes);
    return true;
  } catch (error) {
    return (error as Error).name !== 'QuotaExceededError';
  } finally {
    handle.close();
    await root.removeEntry(NAME);
  }
}
