import { expect, test } from 'vitest';
import type { Device } from '../api/client';
import { ATTENTIONS, wants } from './devices';

const NOW = Date.parse('2026-11-30T12:00:00Z');
const device = (more: Partial<Device>): Device => ({
  id: '00000000-0000-0000-0000-000000000001',
  person: { id: '00000000-0000-0000-0000-000000000002', name: 'Айгүл' },
  beats: [],
  server_custody: false,
  enrolled_at: '2026-11-01T00:00:00Z',
  unconfirmed: false,
  last_sync_at: '2026-11-30T11:00:00Z',
  ...more,
});
const wanted = (more: Partial<Device>) => ATTENTIONS.filter((one) => wants(one, device(more), NOW));

test('a device is silent after a day, and from the start where it never synced', () => {
  expect(wanted({})).toEqual([]);
  expect(wanted({ last_sync_at: '2026-11-29T11:59:59Z' })).toEqual(['silent']);
  expect(wanted({ last_sync_at: null })).toEqual(['silent']);
});

test('a device that waits for somebody’s word is not called silent as well', () => {
  expect(wanted({ unconfirmed: true, last_sync_at: null, unsent: 3 })).toEqual(['unsent', 'unconfirmed']);
});

test('nobody need see to what is shut out, nor to the server’s own hand', () => {
  const neglected = { last_sync_at: null, unsent: 3, unconfirmed: true };
  expect(wanted({ ...neglected, revoked_at: '2026-11-02T00:00:00Z' })).toEqual([]);
  expect(wanted({ ...neglected, server_custody: true })).toEqual([]);
});
