import { expect, test } from 'vitest';
import type { Stop } from '../../../wasm/src/types.ts';
import { arrange, standing, type Reckoning } from './stops';

const DAY = 24 * 60 * 60 * 1000;
const now = Date.parse('2026-11-30T06:00:00Z');
const reckoning: Reckoning = { today: '2026-11-30', now, intervalDays: 365 };

function stop(address: string, part: Partial<Stop> = {}): Stop {
  return {
    id: address,
    beat: 'b',
    address,
    external_code: null,
    place_type: null,
    coordinates: null,
    visits: 1,
    visited_at: now,
    outcome: 'contacted',
    contacted_at: now - DAY,
    due: null,
    ...part,
  };
}

test('what was promised comes before who was not met', () => {
  expect(standing(stop('a', { due: '2026-11-29' }), reckoning)).toBe('late');
  expect(standing(stop('a', { due: '2026-11-30' }), reckoning)).toBe('soon');
  expect(standing(stop('a', { due: '2026-12-24' }), reckoning)).toBe('done');
  expect(standing(stop('a', { contacted_at: now - 366 * DAY }), reckoning)).toBe('overdue');
  expect(standing(stop('a', { contacted_at: null, visits: 3 }), reckoning)).toBe('attempted');
  expect(standing(stop('a', { contacted_at: null, visits: 0 }), reckoning)).toBe('never');
});

test('the round begins with what is late, and goes on with what is near', () => {
  const far = { lat: 43.3, lon: 76.9 };
  const near = { lat: 43.2001, lon: 76.9 };
  const stops = [
    stop('Абая, 1'),
    stop('Абая, 2', { contacted_at: null, visits: 0, coordinates: far }),
    stop('Абая, 3', { contacted_at: null, visits: 0, coordinates: near }),
    stop('Абая, 4', { due: '2026-11-20' }),
  ];
  const here = { lat: 43.2, lon: 76.9 };
  const names = (order: 'urgent' | 'near' | 'street', typed = ''): (string | null)[] =>
    arrange(stops, typed, order, here, reckoning).map(({ stop }) => stop.address);
  expect(names('urgent')).toEqual(['Абая, 4', 'Абая, 3', 'Абая, 2', 'Абая, 1']);
  expect(names('near')).toEqual(['Абая, 3', 'Абая, 2', 'Абая, 1', 'Абая, 4']);
  expect(names('street')).toEqual(['Абая, 1', 'Абая, 2', 'Абая, 3', 'Абая, 4']);
  expect(names('street', 'абая 3')).toEqual(['Абая, 3']);
});
