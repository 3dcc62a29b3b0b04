import { expect, test } from 'vitest';
import { asQuery, isPeriod, readPeriod } from './period';

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

test('one that ends before it begins is none, and no beat is no parameter', () => {
  expect(isPeriod({ from: '2026-02-01', to: '2026-01-01', beat: '' })).toBe(false);
  expect(asQuery({ from: '2026-01-01', to: '2026-02-01', beat: '' })).toEqual({
    from: '2026-01-01',
    to: '2026-02-01',
  });
});
