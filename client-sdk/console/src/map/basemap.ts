import { DARK, LIGHT, layers as protomaps } from '@protomaps/basemaps';
import { addProtocol } from 'maplibre-gl';
import type { LayerSpecification, SourceSpecification } from 'maplibre-gl';
import { PMTiles, Protocol, TileType, type Header } from 'pmtiles';

/** What is drawn beneath the visits. */
export interface Basemap {
  readonly source: SourceSpecification;
  /** Lowest first, for the source of this name. */
  layers(source: string, dark: boolean): LayerSpecification[];
}

/** The operator's archive; the server says with the session whether there is one. */
const ARCHIVE = new URL('/basemap.pmtiles', location.href).href;
/** Archives do not say how large their pictures are; nearly all are of this size. */
const PICTURE_PX = 256;
/** Pictures cannot change their colours: in the dark they are merely dimmed. */
const DIMMED = 0.6;

const protocol = new Protocol();
addProtocol('pmtiles', protocol.tile);

/** Reads what the archive says of itself. Throws if it cannot be read, or holds tiles that we cannot draw. */
export async function readBasemap(): Promise<Basemap> {
  const archive = new PMTiles(ARCHIVE);
  protocol.add(archive);
  const header = await archive.getHeader();
  const tiles = { ...extent(header), ...credit(await archive.getMetadata()) };
  switch (header.tileType) {
    case TileType.Mvt:
      return { source: { type: 'vector', ...tiles }, layers: drawn };
    case TileType.Png:
    case TileType.Jpeg:
    case TileType.Webp:
      return { source: { type: 'raster', tileSize: PICTURE_PX, ...tiles }, layers: pictures };
    default:
      throw new Error(`The basemap holds tiles of another kind: ${header.tileType}`);
  }
}

function extent({ minZoom, maxZoom, minLon, minLat, maxLon, maxLat }: Header) {
  const bounds: [number, number, number, number] = [minLon, minLat, maxLon, maxLat];
  return {
    tiles: [`pmtiles://${ARCHIVE}/{z}/{x}/{y}`],
    minzoom: minZoom,
    maxzoom: maxZoom,
    // Some tools leave them out, which makes them zeros.
    ...(minLon < maxLon && minLat < maxLat && { bounds }),
  };
}

/** Whose map it is. Archives bring it as markup, of which only the words are shown. */
function credit(metadata: unknown): { attribution?: string } {
  const { attribution } = Object(metadata) as { attribution?: unknown };
  if (typeof attribution !== 'string') return {};
  const words = new DOMParser().parseFromString(attribution, 'text/html').body.textContent;
  // The map takes it for markup again.
  const text = document.createElement('span');
  text.textContent = words;
  return { attribution: text.innerHTML };
}

/** Vector tiles as Protomaps cuts them. Without names: letters would need a glyph server. */
function drawn(source: string, dark: boolean): LayerSpecification[] {
  // Where the archive ends the map's own ground is seen.
  const layers = protomaps(source, dark ? DARK : LIGHT).filter(({ type }) => type !== 'background');
  return layers.map((layer) => ({ ...layer, id: `${source}-${layer.id}` }));
}

function pictures(source: string, dark: boolean): LayerSpecification[] {
  const paint = { 'raster-brightness-max': dark ? DIMMED : 1 };
  return [{ id: source, type: 'raster', source, paint }];
}
