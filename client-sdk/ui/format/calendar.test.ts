import { expect, test } from 'vitest';
import { addDays, addMonths, daysOf, isDay, RANGES, readDay, today, weekday, weeksOf } from './calendar';

test('today is the day of the zone', () => {
  expect(today('Asia/Almaty', Date.parse('2026-11-01T20:00:00Z'))).toBe('2026-11-02');
});

test('days are added across months', () => {
  expect(addDays('2026-02-28', 1)).toBe('2026-03-01');
  expect(addDays('2026-03-01', -1)).toBe('2026-02-28');
});

test('months are added by the calendar, and end where they are shorter', () => {
  expect(addMonths('2026-01-31', 1)).toBe('2026-02-28');
  expect(addMonths('2028-01-31', 1)).toBe('2028-02-29');
  expect(addMonths('2026-11-15', 3)).toBe('2027-02-15');
  expect(addMonths('2026-01-15', -1)).toBe('2025-12-15');
  expect(addMonths('2028-02-29', -12)).toBe('2027-02-28');
});

test('only days of the calendar are days', () => {
  for (const day of ['2026-02-30', '2026-13-01', '26-1-1', '', 'yesterday'])
    expect(isDay(day), day).toBe(false);
  expect(isDay('2028-02-29')).toBe(true);
});

test('weeks begin on Monday and hold the whole month', () => {
  expect(weekday('2026-11-02')).toBe(0);
  expect(weekday('2026-11-01')).toBe(6);
  const weeks = weeksOf('2026-11');
  expect(weeks.map(([monday]) => monday)).toEqual([
    '2026-10-26',
    '2026-11-02',
    '2026-11-09',
    '2026-11-16',
    '2026-11-23',
    '2026-11-30',
  ]);
  expect(weeks.at(-1)?.at(-1)).toBe('2026-12-06');
  expect(weeksOf('2027-02')).toHaveLength(4);
});

test('a day is read as people type it', () => {
  for (const typed of ['31.05.2026', ' 31.5.26 ', '31/05/2026', '31 5 2026', '31-05-2026', '2026-05-31'])
    expect(readDay(typed), typed).toBe('2026-05-31');
  for (const typed of [
    '',
    '31',
    '31.05',
    '05/31/2026',
    '30.02.2026',
    '31.05.2026.1',
    'май',
    '31.05.202',
    '1.1.1',
  ])
    expect(readDay(typed), typed).toBeNull();
});

test('a range that is under way ends today', () => {
  const ranges = Object.fromEntries(
    RANGES.map((range) => [range, Object.values(daysOf(range, '2026-11-29'))]),
  );
  expect(ranges).toEqual({
    today: ['2026-11-29', '2026-11-29'],
    yesterday: ['2026-11-28', '2026-11-28'],
    week: ['2026-11-23', '2026-11-29'],
    month: ['2026-11-01', '2026-11-29'],
    quarter: ['2026-10-01', '2026-11-29'],
    year: ['2026-01-01', '2026-11-29'],
  });
  expect(daysOf('yesterday', '2026-01-01').from).toBe('2025-12-31');
  expect(daysOf('quarter', '2026-03-31').from).toBe('2026-01-01');
});
