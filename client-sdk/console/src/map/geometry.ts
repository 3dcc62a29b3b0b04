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

/** As the server takes it; the globe ends where degrees do. */
export function bboxText([west, south, east, north]: Bounds): string {
  const clamp = (degrees: number, limit: number) => Math.max(-limit, Math.min(limit, degrees)).toFixed(5);
  return [clamp(west, 180), clamp(south, 90), clamp(east, 180), clamp(north, 90)].join(',');
}
