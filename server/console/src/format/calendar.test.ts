import { expect, test } from 'vitest';
import { addDays, endOfDay, isDay, startOfDay, today } from './calendar';

test('a local day begins and ends by the clock of its zone', () => {
  expect(startOfDay('2026-11-01', 'Asia/Almaty').toISOString()).toBe('2026-10-31T19:00:00.000Z');
  expect(endOfDay('2026-11-01', 'Asia/Almaty').toISOString()).toBe('2026-11-01T18:59:59.999Z');
});

test('a day on which clocks were put back has 25 hours', () => {
  const hours = +endOfDay('2024-02-29', 'Asia/Almaty') + 1 - +startOfDay('2024-02-29', 'Asia/Almaty');
  expect(hours).toBe(25 * 60 * 60 * 1000);
});

test('today is the day of the zone', () => {
  expect(today('Asia/Almaty', Date.parse('2026-11-01T20:00:00Z'))).toBe('2026-11-02');
});

test('days are added across months', () => {
  expect(addDays('2026-02-28', 1)).toBe('2026-03-01');
  expect(addDays('2026-03-01', -1)).toBe('2026-02-28');
});

test('only days of the calendar are days', () => {
  for (const day of ['2026-02-30', '2026-13-01', '26-1-1', '', 'yesterday'])
    expect(isDay(day), day).toBe(false);
  expect(isDay('2028-02-29')).toBe(true);
});
