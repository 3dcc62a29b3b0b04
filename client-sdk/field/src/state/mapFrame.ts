/** A point of the square world of web maps, from 0 to 1. */
export interface Point {
  x: number;
  y: number;
}

/** What a map shows before anybody has moved it: its middle, and pixels for the whole world. */
export interface Frame extends Point {
  scale: number;
}

const MARGIN_PX = 24;
/** Some metres: of a single point no map is made. */
const LEAST = 1e-7;

export function project({ lat, lon }: { lat: number; lon: number }): Point {
  const sine = Math.sin((Math.max(-85, Math.min(85, lat)) * Math.PI) / 180);
  return { x: (lon + 180) / 360, y: 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI) };
}

/** Holds all points, with a margin. */
export function frameOf(points: readonly Point[], width: number, height: number): Frame {
  let [left, right, top, bottom] = [1, 0, 1, 0];
  for (const { x, y } of points) {
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }
  const room = Math.min(width, height) - 2 * MARGIN_PX;
  return {
    x: (left + right) / 2,
    y: (top + bottom) / 2,
    scale: room / Math.max(right - left, bottom - top, LEAST),
  };
}
