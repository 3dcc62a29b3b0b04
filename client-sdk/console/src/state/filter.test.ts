import { expect, test } from 'vitest';
import { readFilter, toRequest, writeFilter } from './filter';

test('a filter survives the address', () => {
  const filter = { text: 'шум & дым', beat: 'beat-01', from: '2026-11-01', late: 'true' as const };
  expect(readFilter(new URLSearchParams(writeFilter(filter)))).toEqual({ filter, ignored: 0 });
});

test('what is unknown, repeated or senseless is left out and counted', () => {
  const query = new URLSearchParams(
    'late=perhaps&from=2026-02-30&x=1&outcome=moved&outcome=vacant&place=1&text=',
  );
  expect(readFilter(query)).toEqual({ filter: { outcome: 'moved' }, ignored: 5 });
});

test('ten thousand filters are read as well', () => {
  const query = new URLSearchParams('beat=beat-01&'.repeat(10_000));
  expect(readFilter(query)).toEqual({ filter: { beat: 'beat-01' }, ignored: 9_999 });
});

test('the server is asked for days, and knows whose they are', () => {
  expect(toRequest({ from: '2026-11-01', to: '2026-11-01', conflict: 'true' })).toEqual({
    from: '2026-11-01',
    to: '2026-11-01',
    conflict: true,
  });
});
