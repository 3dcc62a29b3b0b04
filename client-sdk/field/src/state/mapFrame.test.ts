import { expect, test } from 'vitest';
import { frameOf, project } from './mapFrame';

test('a frame holds all points with a margin, the larger side to the edge', () => {
  const points = [project({ lat: 43.2, lon: 76.9 }), project({ lat: 43.21, lon: 76.95 })];
  const frame = frameOf(points, 320, 420);
  const across = points.map(({ x }) => (x - frame.x) * frame.scale + 160);
  expect(across.map(Math.round)).toEqual([24, 296]);
  const down = points.map(({ y }) => (y - frame.y) * frame.scale + 210);
  expect(Math.min(...down)).toBeGreaterThan(24);
  expect(Math.max(...down)).toBeLessThan(396);
});

test('one point is a map, and none is the whole world', () => {
  const point = project({ lat: 43.2, lon: 76.9 });
  const one = frameOf([point], 320, 420);
  expect([one.x, one.y]).toEqual([point.x, point.y]);
  expect(Number.isFinite(one.scale)).toBe(true);
  expect(frameOf([], 320, 420)).toMatchObject({ x: 0.5, y: 0.5 });
});
