// What somebody adds to a visit and has not finished yet: a file for each, beside the store. It is no word of the history until it is
// kept as a note, so the store knows nothing of it.

const FOLDER = 'aralau-notes';

/** One at a time: a file has one writer. */
let last: Promise<unknown> = Promise.resolve();

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = last.then(work, work);
  last = mine.catch(() => undefined);
  return mine;
}

async function folder(): Promise<FileSystemDirectoryHandle> {
  return (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
}

/** On disk when it resolves. Only in a dedicated worker. */
export function keepNote(visit: string, text: string): Promise<void> {
  return inTurn(async () => {
    const notes = await folder();
    if (text === '') {
      await notes.removeEntry(visit).catch(() => undefined);
      return;
    }
    const handle = await (await notes.getFileHandle(visit, { create: true })).createSyncAccessHandle();
    try {
      const bytes = new TextEncoder().encode(text);
      // Cut last: whoever is killed in between has a word too many, not all of them too few.
      handle.write(bytes, { at: 0 });
      handle.truncate(bytes.length);
      handle.flush();
    } finally {
      handle.close();
    }
  });
}

export function keptNote(visit: string): Promise<string> {
  return inTurn(async () => {
    const notes = await folder();
    const file = await notes.getFileHandle(visit).catch(() => null);
    return file ? (await file.getFile()).text() : '';
  });
}

/** With everything else that is erased. */
export function eraseNotes(): Promise<void> {
  return inTurn(async () => {
    const root = await navigator.storage.getDirectory();
    await root.removeEntry(FOLDER, { recursive: true }).catch(() => undefined);
  });
}
