// What a test runs in the module that was built for it: the store's contract, the vector that every build of the client writes, and a
// script of the simulated world.
import init, * as client from 'aralau-contract';
import moduleUrl from 'aralau-contract/aralau_bg.wasm?url';
import vector from '../../../tests/vector.json';

const { keepsItsContract, replays, Device, Session } = client as unknown as typeof client & {
  keepsItsContract(folder: string): Promise<void>;
  replays(folder: string, script: string): Promise<number>;
  Device: {
    scripted(folder: string, publicKey: Uint8Array, now: number, seed: number): Promise<client.Device>;
  };
};

/** As `client-sdk/tests/scripted/vector.rs` goes through it. */
async function writeVector(): Promise<{ visit: string; signs: string[] }> {
  const key = Uint8Array.from(vector.public_key.match(/../g) ?? [], (two) => parseInt(two, 16));
  const device = await Device.scripted('aralau-vector', key, vector.now, vector.seed);
  const enrollment = Session.enroll('https://hq.example', 'K7WQ-2M4P-AB3C');
  enrollment.next(device);
  enrollment.signed([new Uint8Array(64).fill(1)]);
  enrollment.next(device);
  const body = new TextEncoder().encode(JSON.stringify(vector.enrolled));
  enrollment.answered(device, { status: 200, headers: [], body });
  if (enrollment.next(device).kind !== 'done') throw new Error('it is not enrolled');
  const visit = device.logDraft(device.beginDraft(vector.form as client.VisitForm));
  for (const changes of vector.edits) device.editVisit(visit, changes as client.VisitChange[]);
  const step = Session.sync(0).next(device);
  const messages = step.kind === 'sign' ? step.messages : [];
  return { visit, signs: messages.map((message) => [...message].map(hex).join('')) };
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

self.onmessage = async ({ data: script }: MessageEvent<string>) => {
  try {
    await init({ module_or_path: moduleUrl });
    await keepsItsContract('aralau-contract');
    const vector = await writeVector();
    self.postMessage({ contract: 'kept', vector, scenes: await replays('aralau-script', script) });
  } catch (error) {
    self.postMessage({ contract: String(error) });
  }
};
