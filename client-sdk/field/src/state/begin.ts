import { recall, remember } from '$ui/state/kept';
import { at, router } from '$ui/state/router.svelte';
import { device } from './phone.svelte';

const NAME = 'visit_type';
const FIRST_TYPE = 'door_to_door';

export function rememberType(code: string): void {
  remember(NAME, code);
}

/**
 * Begins to write a visit down: it is on the disk before the page is there. Its type is that of the last one, as a walk from
 * door to door is all of one.
 */
export async function beginVisit(place: string | null): Promise<void> {
  const visit_type = recall(NAME) ?? FIRST_TYPE;
  const id = await device.beginDraft({ place, visit_type, started_at: Date.now() });
  router.go(at(`/log/${id}`));
}
