import { expect, test } from 'vitest';
import type { Coverage } from '../api/client';
import { beatsOverTime, beginning, stretches } from './series';

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

test('each beat has its own stretches, in the order of the beats and not of what was done in them', () => {
  const figures = { places: 0, contacted_places: 0, attempted_places: 0, due_places: 0, overdue_places: 0 };
  const rest = { commitments_open: 0, commitments_overdue: 0, repeat_problems: 0 };
  const beats = ['c', 'b', 'a'].map((beat) => ({ beat, name: `Beat ${beat}`, ...figures, ...rest }));
  const all = beatsOverTime({ ...coverage('week', '2026-11-10', '2026-11-23'), beats });
  expect(all.map(({ beat, stretches }) => [beat, stretches.map(({ contacted }) => contacted)])).toEqual([
    ['c', [0, 0, 0]],
    ['b', [0, 0, 1]],
    ['a', [0, 0, 2]],
  ]);
});
