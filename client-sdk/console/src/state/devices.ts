import { api, body, type Device } from '../api/client';

/** What somebody looks for among devices. The address of their page holds it. */
export const ATTENTIONS = ['silent', 'unsent', 'unconfirmed'] as const;
export type Attention = (typeof ATTENTIONS)[number];

/** A device is silent that has not synced for so long. */
const SILENT_MS = 24 * 60 * 60 * 1000;
/** What the server gives at once, at most. */
const PAGE_ROWS = 1_000;

/** Whether a device is one that somebody should see to. Those that are shut out, and the server's own, are none. */
export function wants(attention: Attention, device: Device, nowMs: number): boolean {
  const { last_sync_at, unsent, unconfirmed } = device;
  if (device.server_custody || device.revoked_at) return false;
  if (attention === 'unconfirmed') return unconfirmed;
  if (attention === 'unsent') return (unsent ?? 0) > 0;
  return !unconfirmed && (!last_sync_at || nowMs - Date.parse(last_sync_at) > SILENT_MS);
}

/** Every device: the server narrows their list by nothing, so that a part of it is picked from all pages. */
export async function everyDevice(): Promise<Device[]> {
  const all: Device[] = [];
  let cursor: string | null = null;
  do {
    const query = { limit: PAGE_ROWS, ...(cursor !== null && { cursor }) };
    const page: { devices: Device[]; next?: string | null } = await body(
      api.GET('/v1/devices', { params: { query } }),
    );
    all.push(...page.devices);
    cursor = page.next ?? null;
  } while (cursor !== null);
  return all;
}
