import type * as GeoJSON from 'geojson';

/** West, south, east, north, in degrees. */
export type Bounds = [number, number, number, number];

const METRES_PER_DEGREE = 111_320;
const CORNERS = 48;

/** What holds all positions, however deep in GeoJSON's lists they are; `null` where there is none. */
export function boundsOf(coordinates: readonly unknown[]): Bounds | null {
  let bounds: Bounds | null = null;
  const visit = (value: unknown): void => {
    if (!Array.isArray(value)) return;
    const [lon, lat] = value as unknown[];
    if (typeof lon !== 'number' || typeof lat !== 'number') {
      value.forEach(visit);
      return;
    }
    const [west, south, east, north] = bounds ?? [lon, lat, lon, lat];
    bounds = [Math.min(west, lon), Math.min(south, lat), Math.max(east, lon), Math.max(north, lat)];
  };
  visit(coordinates);
  return bounds;
}

/** A circle on the ground, as a polygon. */
export function circle(lon: number, lat: number, radiusM: number): GeoJSON.Feature<GeoJSON.Polygon> {
  const north = radiusM / METRES_PER_DEGREE;
  const east = north / Math.cos((lat * Math.PI) / 180);
  const ring = Array.from({ length: CORNERS + 1 }, (_, corner) => {
    const angle = (2 * Math.PI * corner) / CORNERS;
    return [lon + east * Math.cos(angle), lat + north * Math.sin(angle)];
  });
  return { type: 'Feature', geometry: { type: 'Polygon', coordinates: [ring] }, properties: {} };
}

/** The rectangle that an address says as {@link bboxText} does; `null` where it says none. */
export function readArea(text: string | null): Bounds | null {
  const numbers = (text ?? '').split(',');
  return numbers.length === 4 ? areaOf(numbers) : null;
}

/** The rectangle of four numbers as somebody wrote them: west, south, east, north. */
export function areaOf(written: readonly string[]): Bounds | null {
  const numbers = written.map((one) => {
    const plain = one.trim().replace(',', '.');
    return /^-?\d{1,3}(\.\d{1,15})?$/.test(plain) ? Number(plain) : NaN;
  });
  const [west = NaN, south = NaN, east = NaN, north = NaN] = numbers;
  const onGlobe = west >= -180 && east <= 180 && south >= -90 && north <= 90;
  return onGlobe && west < east && south < north ? [west, south, east, north] : null;
}

/** The rectangle between two corners, whichever they are. */
export function between([lon, lat]: [number, number], [otherLon, otherLat]: [number, number]): Bounds {
  return [Math.min(lon, otherLon), Math.min(lat, otherLat), Math.max(lon, otherLon), Math.max(lat, otherLat)];
}

/** A rectangle as a polygon. */
export function rectangle([west, south, east, north]: Bounds): GeoJSON.Feature<GeoJSON.Polygon> {
  const corners = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
  return { type: 'Feature', geometry: { type: 'Polygon', coordinates: [corners] }, properties: {} };
}

/** As the server takes it; the globe ends where degrees do. */
export function bboxText([west, south, east, north]: Bounds): string {
  const clamp = (degrees: number, limit: number) => Math.max(-limit, Math.min(limit, degrees)).toFixed(5);
  return [clamp(west, 180), clamp(south, 90), clamp(east, 180), clamp(north, 90)].join(',');
}
