import { expect, test } from 'vitest';
import { before, asQuery, MOST_DAYS, MOST_DAYS_BY_DAY, periodFault, readPeriod } from './period';

test('a period is twelve weeks until today, unless the address says otherwise', () => {
  const read = (query: string) => readPeriod(new URLSearchParams(query), 'Asia/Almaty');
  const { from, to, beat } = read('');
  expect((Date.parse(to) - Date.parse(from)) / 86_400_000).toBe(83);
  expect(beat).toBe('');
  expect(read('from=2026-01-01&to=2026-01-31&beat=b1')).toEqual({
    from: '2026-01-01',
    to: '2026-01-31',
    beat: 'b1',
  });
  expect(read('from=yesterday&to=2026-02-30').to).toBe(to);
});

test('one that ends before it begins is none, nor is one of more days than the server counts', () => {
  const fault = (from: string, to: string, most?: number) => periodFault({ from, to }, most);
  expect(fault('2026-02-01', '2026-01-31')).toBe('backwards');
  expect(fault('2026-02-01', '2026-02-01')).toBeNull();
  expect(fault('', '2026-01-31')).toBeNull();
  expect(fault('1926-01-01', '2026-01-01')).toBeNull();
  expect(fault('2024-01-01', '2024-12-31', MOST_DAYS_BY_DAY)).toBeNull();
  expect(fault('2024-01-01', '2025-01-01', MOST_DAYS_BY_DAY)).toBe('too_long_by_day');
  expect(fault('2016-01-01', '2026-01-07', MOST_DAYS)).toBeNull();
  expect(fault('2016-01-01', '2026-01-08', MOST_DAYS)).toBe('too_long');
});

test('no beat is no parameter', () => {
  expect(asQuery({ from: '2026-01-01', to: '2026-02-01', beat: '' })).toEqual({
    from: '2026-01-01',
    to: '2026-02-01',
  });
});

test('the period before has as many days and ends the day before', () => {
  expect(before({ from: '2026-11-01', to: '2026-11-30', beat: 'beat-01' })).toEqual({
    from: '2026-10-02',
    to: '2026-10-31',
    beat: 'beat-01',
  });
  expect(before({ from: '2024-03-01', to: '2024-03-01', beat: '' })).toMatchObject({
    from: '2024-02-29',
    to: '2024-02-29',
  });
});
