// The worker that owns the device: its store, its key, its way to the server. Pages ask it by messages.
import init, { codeLists, Device, reason, Session, type Report } from 'aralau-client';
import moduleUrl from 'aralau-client/aralau_bg.wasm?url';
import { DRAFTING, READS, type Asked, type Calls, type DeviceEvent, type Heard } from './calls';
import { drive } from './drive';
import { eraseNotes, keepNote, keptNote } from './notes';
import { hasRoom } from './room';
import { Lacking } from './support';
import { openVault, type Vault } from './vault';

const FOLDER = 'aralau-device';
/** Another tab's worker lets go of the files a moment after the tab is gone. */
const OPEN_TRIES = 40;
const OPEN_PAUSE_MS = 50;

const CHANGED: DeviceEvent = { event: 'changed' };

interface Opened {
  device: Device;
  vault: Vault;
}

let opening: Promise<Opened> | undefined;
let syncing: Promise<Report> | undefined;

async function open(take: typeof Device.open): Promise<Opened> {
  // Some browsers have such files and refuse them, in a private window or by a policy.
  await navigator.storage.getDirectory().catch((error: unknown) => {
    throw Lacking.of('storage', error);
  });
  const [vault] = await Promise.all([openVault(FOLDER), init({ module_or_path: moduleUrl })]);
  for (let tries = 1; ; tries += 1) {
    try {
      return { device: await take(FOLDER, vault.publicKey), vault };
    } catch (error) {
      if ((error as { code?: string }).code !== 'store_in_use' || tries === OPEN_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, OPEN_PAUSE_MS));
    }
  }
}

const calls: Calls = {
  status: async () => (await opened()).device.status(),
  round: async () => (await opened()).device.round(),
  outlines: async () => (await opened()).device.outlines(),
  visits: async (behind, limit) => (await opened()).device.visits(behind, limit),
  visitsAt: async (place) => (await opened()).device.visitsAt(place),
  visitsAsking: async () => (await opened()).device.visitsAsking(),
  visit: async (id) => (await opened()).device.visit(id),
  history: async (id) => (await opened()).device.history(id),
  drafts: async () => (await opened()).device.drafts(),
  beginDraft: async (form) => (await opened()).device.beginDraft(form),
  keepDraft: async (id, form) => (await opened()).device.keepDraft(id, form),
  dropDraft: async (id) => (await opened()).device.dropDraft(id),
  logDraft: async (id) => (await opened()).device.logDraft(id),
  editVisit: async (id, changes) => (await opened()).device.editVisit(id, changes),
  choose: async (id, field, value) => (await opened()).device.choose(id, field, value),
  enroll: async (url, code) => {
    const { device, vault } = await opened();
    const session = Session.enroll(url, code);
    await drive(session, device, vault).finally(() => session.free());
  },
  // One at a time: whoever asks while one is under way hears of that one.
  sync: (waitMs) => (syncing ??= sync(waitMs).finally(() => (syncing = undefined))),
  hasRoom: () => hasRoom(),
  keepNote: (visit, text) => keepNote(visit, text),
  keptNote: (visit) => keptNote(visit),
  erase: async () => {
    const { device } = await opened();
    await eraseNotes();
    device.erase();
  },
  adopt: async () => {
    await (opening = attempt(Device.adopt));
  },
  codeLists: async () => {
    await opened();
    return codeLists();
  },
  reason: async (code, language) => {
    await opened();
    return reason(code, language);
  },
};

async function opened(): Promise<Opened> {
  // What failed may go well the next time.
  return (opening ??= attempt(Device.open));
}

function attempt(take: typeof Device.open): Promise<Opened> {
  return open(take).catch((error: unknown) => {
    opening = undefined;
    throw error;
  });
}

async function sync(waitMs: number): Promise<Report> {
  const { device, vault } = await opened();
  const session = Session.sync(waitMs);
  try {
    await drive(session, device, vault, () => {
      const { pulled, pushed } = session.report();
      tell({ event: 'progress', pulled, pushed });
    });
    return session.report();
  } finally {
    session.free();
  }
}

/** What a proxy answers in the server's place has a number and no words: whether it passes by itself is all that it says. */
function plain(code: string): string {
  if (!code.startsWith('http_')) return code;
  return /^http_(5..|408|425|429)$/.test(code) ? 'unavailable' : 'not_aralau';
}

function tell(event: DeviceEvent): void {
  self.postMessage(event);
}

self.onmessage = async ({ data }: MessageEvent<Asked>) => {
  const { number, name, args } = data;
  let heard: Heard;
  try {
    const call = calls[name] as (...args: unknown[]) => Promise<unknown>;
    heard = { number, value: await call(...args) };
  } catch (error) {
    const { name: kind, message, code, action, detail } = error as Error & Record<string, string>;
    // A browser's own errors have a number for a code, which says nothing: their name does.
    const isOurs = typeof code === 'string';
    const failure = {
      message,
      code: isOurs ? plain(code) : kind === 'QuotaExceededError' ? 'store_unavailable' : 'app_failed',
      action: (isOurs && action) || 'report',
      detail: isOurs ? detail || code : `${kind}: ${message}`,
    };
    heard = { number, failure };
  }
  // Even of what failed: a full disk may have ended what SQLite was doing, and a failed sync may have brought half of it. Before the
  // answer, so that a page which the answer opens reads once.
  const event = READS.has(name) ? null : DRAFTING.has(name) ? DRAFTING.get(name) : CHANGED;
  if (event) tell(event);
  self.postMessage(heard);
};
