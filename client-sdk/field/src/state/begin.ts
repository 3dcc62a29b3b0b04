import { at, router } from '$ui/state/router.svelte';
import { device } from './phone.svelte';

const NAME = 'aralau.visit_type';
const FIRST_TYPE = 'door_to_door';

/** The type that was logged last: a walk from door to door is all of one. */
export function lastType(): string {
  try {
    return localStorage.getItem(NAME) ?? FIRST_TYPE;
  } catch {
    return FIRST_TYPE;
  }
}

export function rememberType(code: string): void {
  try {
    localStorage.setItem(NAME, code);
  } catch {
    return;
  }
}

/** Begins to write a visit down: it is on the disk before the page is there. */
export async function beginVisit(place: string | null): Promise<void> {
  const id = await device.beginDraft({ place, visit_type: lastType(), started_at: Date.now() });
  router.go(at(`/log/${id}`));
}
