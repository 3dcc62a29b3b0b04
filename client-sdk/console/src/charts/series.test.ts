import { expect, test } from 'vitest';
import type { Coverage } from '../api/client';
import { beginning, stretches } from './series';

const coverage = (bucket: Coverage['bucket'], from: string, to: string): Coverage => ({
  from,
  to,
  bucket,
  time_zone: 'Asia/Almaty',
  series: [
    { beat: 'a', start: beginning(to, bucket), visits: 3, contacted: 2, attempted: 1, late: 0 },
    { beat: 'b', start: beginning(to, bucket), visits: 1, contacted: 1, attempted: 0, late: 1 },
  ],
  beats: [],
  freshness: { as_of: '2026-11-23T00:00:00Z', devices: 0, silent_devices: 0 },
});

test('weeks begin on Monday', () => {
  expect(beginning('2026-11-22', 'week')).toBe('2026-11-16');
  expect(beginning('2026-11-23', 'week')).toBe('2026-11-23');
});

test('beats are added up, and a stretch without a visit is a zero', () => {
  const all = stretches(coverage('week', '2026-11-10', '2026-11-23'));
  expect(all.map(({ start, visits }) => [start, visits])).toEqual([
    ['2026-11-09', 0],
    ['2026-11-16', 0],
    ['2026-11-23', 4],
  ]);
});

test('months are as long as they are', () => {
  const all = stretches(coverage('month', '2026-01-15', '2026-03-02'));
  expect(all.map(({ start, end }) => [start, end])).toEqual([
    ['2026-01-01', '2026-01-31'],
    ['2026-02-01', '2026-02-28'],
    ['2026-03-01', '2026-03-31'],
  ]);
});
