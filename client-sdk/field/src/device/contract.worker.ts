// Runs the store's contract, in the module that was built with it.
import init, * as client from 'aralau-contract';
import moduleUrl from 'aralau-contract/aralau_bg.wasm?url';

const { keepsItsContract } = client as unknown as { keepsItsContract(folder: string): Promise<void> };

try {
  await init({ module_or_path: moduleUrl });
  await keepsItsContract('aralau-contract');
  self.postMessage('kept');
} catch (error) {
  self.postMessage(String(error));
}
