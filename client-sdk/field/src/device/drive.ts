// The loop of a session: signatures, requests and pauses, until it is done.
import type { Device, Session } from 'aralau-client';
import { send } from './transport';
import type { Vault } from './vault';

/**
 * Takes a session to its end. Between two steps the device is free: visits may be written meanwhile. `answered` is called after
 * each request.
 */
export async function drive(
  session: Session,
  device: Device,
  vault: Vault,
  answered: () => void = () => undefined,
): Promise<void> {
  for (;;) {
    const step = session.next(device);
    switch (step.kind) {
      case 'sign':
        session.signed(await Promise.all(step.messages.map((message) => vault.sign(message))));
        break;
      case 'send':
        session.answered(device, await send(step.request));
        answered();
        break;
      case 'wait':
        await new Promise((resolve) => setTimeout(resolve, step.ms));
        break;
      case 'done':
        return;
    }
  }
}
