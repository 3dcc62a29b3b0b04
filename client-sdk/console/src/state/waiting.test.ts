import { expect, test } from 'vitest';
import type { Schemas } from '../api/client';
import { beatsWaiting, heldWaiting } from './waiting';

const beat = (code: string, figures: Partial<Schemas['BeatFigures']>): Schemas['BeatFigures'] => ({
  beat: code,
  name: `Участок ${code}`,
  places: 0,
  contacted_places: 0,
  attempted_places: 0,
  due_places: 0,
  overdue_places: 0,
  commitments_open: 0,
  commitments_overdue: 0,
  repeat_problems: 0,
  ...figures,
});
const PERIOD = { from: '2026-11-03', to: '2026-11-30', beat: '' };

test('what goes in by itself waits for nobody', () => {
  expect(heldWaiting([])).toEqual({ n: 0, lines: [], byItself: 0, href: '/quarantine' });
  expect(heldWaiting([{ reason: 'waiting', entries: 4 }])).toEqual({ n: 0, lines: [], byItself: 4 });
});

test('a number of held entries opens the list that holds just as many', () => {
  const revoked = { reason: 'revoked', entries: 2 };
  const late = { reason: 'after_grant', entries: 1 };
  const waiting = { reason: 'waiting', entries: 4 };
  expect(heldWaiting([revoked, late])).toMatchObject({ n: 3, href: '/quarantine' });
  expect(heldWaiting([revoked, waiting])).toMatchObject({ n: 2, href: '/quarantine?reason=revoked' });
  const apart = heldWaiting([revoked, late, waiting]);
  expect(apart).toMatchObject({ n: 3, byItself: 4 });
  expect(apart.href).toBeUndefined();
  expect(apart.lines?.map(({ n, href }) => [n, href])).toEqual([
    [2, '/quarantine?reason=revoked'],
    [1, '/quarantine?reason=after_grant'],
  ]);
});

test('beats are told in their order, and those where nothing waits are left out', () => {
  const beats = [beat('b', { overdue_places: 1 }), beat('c', {}), beat('a', { overdue_places: 7 })];
  expect(beatsWaiting(beats, 'overdue_places', PERIOD)).toEqual({
    n: 8,
    href: '/places?from=2026-11-03&to=2026-11-30&standing=overdue',
    lines: [
      { key: 'b', n: 1, href: '/places?from=2026-11-03&to=2026-11-30&beat=b&standing=overdue' },
      { key: 'a', n: 7, href: '/places?from=2026-11-03&to=2026-11-30&beat=a&standing=overdue' },
    ],
  });
});

test('a late promise is one whose day was before today, whenever it was made', () => {
  const { href, lines } = beatsWaiting(
    [beat('a', { commitments_overdue: 2 })],
    'commitments_overdue',
    PERIOD,
  );
  expect(href).toBe('/visits?due_before=2026-11-30');
  expect(lines?.[0]?.href).toBe('/visits?beat=a&due_before=2026-11-30');
});
