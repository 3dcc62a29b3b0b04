import {
  AttributionControl,
  Map as MapLibre,
  NavigationControl,
  ScaleControl,
  setWorkerUrl,
} from 'maplibre-gl';
import type {
  AddLayerObject,
  CustomLayerInterface,
  ExpressionSpecification,
  GeoJSONSource,
  LngLatBoundsLike,
  MapGeoJSONFeature,
  MapLayerMouseEvent,
} from 'maplibre-gl';
import 'maplibre-gl/dist/maplibre-gl.css';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import type { Schemas } from '../api/client';
import type { Beat } from '../state/directory.svelte';
import { isDark, outcomeTone, themeColor } from '$ui/format/color';
import type { Basemap } from './basemap';
import { boundsOf, circle, rectangle, type Bounds } from './geometry';

export type VisitPoint = Schemas['VisitPoint'];
export type PlacePoint = Schemas['PlacePoint'];

/** What somebody touched. */
export type Touched = { visit: VisitPoint } | { place: PlacePoint };

// A worker of our own origin: the Content-Security-Policy allows no other script.
setWorkerUrl(workerUrl);

const CLUSTER_RADIUS_PX = 46;
/** Closer than this every visit is a point of its own. */
const CLUSTER_MAX_ZOOM = 16;
const FIT_PADDING_PX = 48;
/** A map as wide as this has room for what is fitted beside the legend, and not only beneath it. */
const ROOMY_PX = 800;
const FIT_MAX_ZOOM = 16;
const COUNT_PX = 40;
const BASEMAP = 'basemap';
/** The lowest layer of what is drawn on a ground or a basemap. */
const LOWEST = 'beat-areas';
const NO_FEATURES = { type: 'FeatureCollection' as const, features: [] };
/** Kazakhstan, until something better is known. */
const HOME: LngLatBoundsLike = [46.4, 40.5, 87.4, 55.5];

interface Events {
  selected: (touched: Touched | null) => void;
  moved: (bounds: Bounds) => void;
  /** A part of the basemap could not be read. */
  holed: () => void;
}

/** Visits, places and beats on MapLibre. Knows nothing of the server: it draws what it is given, and tells what was touched. */
export class VisitMap {
  readonly #map: MapLibre;
  #points = new Map<string, VisitPoint>();
  #places = new Map<string, PlacePoint>();
  #basemap: Basemap | null = null;
  #laid: string[] = [];
  readonly ready: Promise<void>;

  /** `words`: what MapLibre says in English otherwise, by its keys. */
  constructor(container: HTMLElement, words: Record<string, string>, events: Events) {
    this.#map = new MapLibre({
      container,
      bounds: HOME,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      locale: words,
      style: { version: 8, sources: {}, layers: [] },
    });
    this.#map.addControl(new NavigationControl({ showCompass: false }));
    this.#map.addControl(new ScaleControl({}));
    this.#map.addControl(new AttributionControl({ compact: true }));
    this.ready = new Promise((resolve) => {
      this.#map.on('load', () => {
        this.#draw();
        this.#listen(events);
        resolve();
      });
    });
  }

  showPoints(points: readonly VisitPoint[]): void {
    this.#points = new Map(points.map((point) => [point.id, point]));
    this.#source('visits').setData({
      type: 'FeatureCollection',
      features: points.map((point) => ({
        type: 'Feature',
        geometry: { type: 'Point', coordinates: [point.lon, point.lat] },
        properties: { id: point.id, tone: outcomeTone(point.outcome), mock: point.mock === true },
      })),
    });
  }

  /** Where nobody is due, where somebody is, and where it is late. */
  showPlaces(places: readonly PlacePoint[]): void {
    this.#places = new Map(places.map((place) => [place.id, place]));
    this.#source('places').setData({
      type: 'FeatureCollection',
      features: places.map(({ id, lat, lon, standing }) => ({
        type: 'Feature',
        geometry: { type: 'Point', coordinates: [lon, lat] },
        properties: { id, standing: standing ?? 'fine' },
      })),
    });
  }

  /** `shares` holds the contacted share of each beat's places, from 0 to 1, by code; without it no beat is shaded. */
  showBeats(beats: readonly Beat[], shares: ReadonlyMap<string, number> | null): void {
    this.#source('beats').setData({
      type: 'FeatureCollection',
      features: beats.flatMap(({ code, area }) =>
        area
          ? {
              type: 'Feature' as const,
              geometry: area,
              properties: { share: shares?.get(code) ?? -1 },
            }
          : [],
      ),
    });
  }

  /** How exactly the phone of the selected visit knew where it was. */
  showAccuracy(point: VisitPoint | null): void {
    const radius = point?.accuracy_m;
    this.#source('accuracy').setData(point && radius ? circle(point.lon, point.lat, radius) : NO_FEATURES);
  }

  /** The rectangle that the map is of. */
  showArea(area: Bounds | null): void {
    this.#source('area').setData(area ? rectangle(area) : NO_FEATURES);
  }

  /** Where a point of the map's own frame lies, in degrees east and north. */
  degreesAt(xPx: number, yPx: number): [number, number] {
    const { lng, lat } = this.#map.unproject([xPx, yPx]);
    return [lng, lat];
  }

  /** What is in sight. */
  get bounds(): Bounds {
    const bounds = this.#map.getBounds();
    return [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
  }

  /** Shows a rectangle, with a margin. */
  fitArea(area: Bounds): void {
    this.#map.fitBounds(area, { padding: FIT_PADDING_PX, maxZoom: FIT_MAX_ZOOM, animate: false });
  }

  /** Shows all of these, beside what covers `coveredPx` from the left. */
  fit(points: readonly { lon: number; lat: number }[], beats: readonly Beat[], coveredPx: number): void {
    const bounds = boundsOf([
      ...points.map(({ lon, lat }) => [lon, lat]),
      ...beats.map(({ area }) => area?.coordinates),
    ]);
    if (!bounds) return;
    const isRoomy = this.#map.getContainer().clientWidth > ROOMY_PX;
    const padding = {
      top: FIT_PADDING_PX,
      right: FIT_PADDING_PX,
      bottom: FIT_PADDING_PX,
      left: FIT_PADDING_PX,
    };
    if (isRoomy) padding.left += coveredPx;
    this.#map.fitBounds(bounds, { padding, maxZoom: FIT_MAX_ZOOM, animate: false });
  }

  /** Lays a map beneath all that is drawn. */
  lay(basemap: Basemap): void {
    this.#map.addSource(BASEMAP, basemap.source);
    this.#basemap = basemap;
    this.#drawBasemap();
  }

  /** Draws in the colours of the present theme. */
  repaint(): void {
    for (const layer of this.#layers()) {
      for (const [name, value] of Object.entries(layer.paint ?? {})) {
        this.#map.setPaintProperty(layer.id, name as never, value as never);
      }
    }
    this.#drawBasemap();
  }

  destroy(): void {
    this.#map.remove();
  }

  #source(name: string): GeoJSONSource {
    return this.#map.getSource(name) as GeoJSONSource;
  }

  #layers(): Exclude<AddLayerObject, CustomLayerInterface>[] {
    const color = (name: string) => themeColor(name);
    const tone: ExpressionSpecification = [
      'match',
      ['get', 'tone'],
      'good',
      color('good'),
      'warn',
      color('warn'),
      'bad',
      color('bad'),
      color('line-strong'),
    ];
    const shade: ExpressionSpecification = [
      'case',
      ['<', ['get', 'share'], 0],
      0.04,
      ['interpolate', ['linear'], ['get', 'share'], 0, 0.06, 1, 0.5],
    ];
    return [
      { id: 'ground', type: 'background', paint: { 'background-color': color('sunken') } },
      {
        id: LOWEST,
        type: 'fill',
        source: 'beats',
        paint: { 'fill-color': color('good'), 'fill-opacity': shade },
      },
      {
        id: 'beat-lines',
        type: 'line',
        source: 'beats',
        paint: { 'line-color': color('line-strong'), 'line-width': 1.2 },
      },
      {
        id: 'area-lines',
        type: 'line',
        source: 'area',
        paint: { 'line-color': color('accent'), 'line-width': 2.5, 'line-dasharray': [2, 1] },
      },
      {
        id: 'accuracy',
        type: 'fill',
        source: 'accuracy',
        paint: { 'fill-color': color('accent'), 'fill-opacity': 0.2 },
      },
      {
        id: 'places',
        type: 'circle',
        source: 'places',
        paint: {
          'circle-color': color('surface'),
          'circle-radius': ['interpolate', ['linear'], ['zoom'], 10, 2, 16, 5],
          'circle-stroke-color': [
            'match',
            ['get', 'standing'],
            'overdue',
            color('bad'),
            'due',
            color('warn'),
            color('good'),
          ],
          'circle-stroke-width': ['interpolate', ['linear'], ['zoom'], 10, 1, 16, 2.5],
        },
      },
      {
        id: 'clusters',
        type: 'circle',
        source: 'visits',
        filter: ['has', 'point_count'],
        paint: {
          'circle-color': color('accent'),
          'circle-radius': ['interpolate', ['linear'], ['log10', ['get', 'point_count']], 0, 13, 4, 34],
          'circle-stroke-color': color('surface'),
          'circle-stroke-width': 2,
        },
      },
      {
        id: 'points',
        type: 'circle',
        source: 'visits',
        filter: ['!', ['has', 'point_count']],
        paint: {
          'circle-color': tone,
          'circle-radius': 7,
          'circle-stroke-color': ['case', ['get', 'mock'], color('bad'), color('surface')],
          'circle-stroke-width': ['case', ['get', 'mock'], 4, 2],
        },
      },
    ];
  }

  /** Anew for each theme: one may have layers that another lacks. */
  #drawBasemap(): void {
    for (const id of this.#laid) this.#map.removeLayer(id);
    const layers = this.#basemap?.layers(BASEMAP, isDark()) ?? [];
    for (const layer of layers) this.#map.addLayer(layer, LOWEST);
    this.#laid = layers.map(({ id }) => id);
  }

  #draw(): void {
    this.#map.addSource('beats', { type: 'geojson', data: NO_FEATURES });
    this.#map.addSource('places', { type: 'geojson', data: NO_FEATURES });
    this.#map.addSource('area', { type: 'geojson', data: NO_FEATURES });
    this.#map.addSource('accuracy', { type: 'geojson', data: NO_FEATURES });
    this.#map.addSource('visits', {
      type: 'geojson',
      data: NO_FEATURES,
      cluster: true,
      clusterRadius: CLUSTER_RADIUS_PX,
      clusterMaxZoom: CLUSTER_MAX_ZOOM,
    });
    for (const layer of this.#layers()) this.#map.addLayer(layer);
    this.#drawCounts();
  }

  /** Letters on a map come from a glyph server; there is none, so counts are small pictures, drawn when needed. */
  #drawCounts(): void {
    this.#map.setMissingStyleImageResolver((id) => {
      const picture = counted(id.replace(/^count-/, ''));
      if (picture && !this.#map.hasImage(id)) this.#map.addImage(id, picture, { pixelRatio: 2 });
    });
    this.#map.addLayer({
      id: 'counts',
      type: 'symbol',
      source: 'visits',
      filter: ['has', 'point_count'],
      layout: {
        'icon-image': ['concat', 'count-', ['get', 'point_count_abbreviated']],
        'icon-allow-overlap': true,
      },
    });
  }

  #listen({ selected, moved, holed }: Events): void {
    this.#map.on('error', (event) => {
      console.error(event.error);
      if ('sourceId' in event && event.sourceId === BASEMAP) holed();
    });
    const pointer = (cursor: string) => () => (this.#map.getCanvas().style.cursor = cursor);
    for (const layer of ['clusters', 'points', 'places']) {
      this.#map.on('mouseenter', layer, pointer('pointer'));
      this.#map.on('mouseleave', layer, pointer(''));
    }
    this.#map.on('click', 'clusters', (event) => void this.#open(event));
    this.#map.on('click', (event) => {
      const touched = this.#map.queryRenderedFeatures(event.point, {
        layers: ['points', 'clusters', 'places'],
      });
      selected(this.#touched(touched[0]));
    });
    this.#map.on('moveend', () => {
      moved(this.bounds);
    });
  }

  /** The uppermost one; a cluster is opened and not selected. */
  #touched(feature: MapGeoJSONFeature | undefined): Touched | null {
    const id = String(feature?.properties['id']);
    const visit = feature?.layer.id === 'points' && this.#points.get(id);
    if (visit) return { visit };
    const place = feature?.layer.id === 'places' && this.#places.get(id);
    return place ? { place } : null;
  }

  /** Comes so close that the cluster falls apart. */
  async #open({ features }: MapLayerMouseEvent): Promise<void> {
    const feature = features?.[0];
    if (feature?.geometry.type !== 'Point') return;
    const zoom = await this.#source('visits').getClusterExpansionZoom(
      Number(feature.properties['cluster_id']),
    );
    this.#map.easeTo({ center: feature.geometry.coordinates as [number, number], zoom });
  }
}

function counted(text: string): ImageData | null {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = COUNT_PX * 2;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) return null;
  context.fillStyle = themeColor('on-accent');
  context.font = "600 26px 'Inter Variable', sans-serif";
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(text, COUNT_PX, COUNT_PX + 2);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}
