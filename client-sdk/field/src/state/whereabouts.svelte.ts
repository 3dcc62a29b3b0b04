import type { Position } from '../../../wasm/src/types.ts';

/** An older one says where the phone was before. */
const FRESH_MS = 120_000;

/** Where the phone is, as well as it knows; asked for only while a page wants to know. */
class Whereabouts {
  current = $state.raw<(Position & { at: number }) | null>(null);
  refused = $state(false);
  #watch: number | undefined;
  #wanted = 0;

  /** To be called while a component is set up. */
  follow(): void {
    $effect(() => {
      this.#wanted += 1;
      if (this.#wanted === 1) this.#start();
      return () => {
        this.#wanted -= 1;
        if (this.#wanted === 0) this.#stop();
      };
    });
  }

  /** What a visit may say of where it was. */
  fresh(now = Date.now()): Position | null {
    const { current } = this;
    if (!current || now - current.at > FRESH_MS) return null;
    const { lat, lon, accuracy_m, mock } = current;
    return { lat, lon, accuracy_m, mock };
  }

  #start(): void {
    if (!navigator.geolocation) return;
    this.#watch = navigator.geolocation.watchPosition(
      ({ coords }) => {
        this.refused = false;
        // A browser does not tell whether a position was made up.
        const { latitude: lat, longitude: lon, accuracy } = coords;
        this.current = { lat, lon, accuracy_m: accuracy, mock: false, at: Date.now() };
      },
      ({ code, PERMISSION_DENIED }) => (this.refused = code === PERMISSION_DENIED),
      { enableHighAccuracy: true, maximumAge: 30_000, timeout: 60_000 },
    );
  }

  #stop(): void {
    if (this.#watch !== undefined) navigator.geolocation.clearWatch(this.#watch);
    this.#watch = undefined;
  }
}

export const whereabouts = new Whereabouts();

const EARTH_RADIUS_M = 6_371_000;

/** Metres between two points, near enough for a walk. */
export function distance(one: { lat: number; lon: number }, other: { lat: number; lon: number }): number {
  const radians = Math.PI / 180;
  const x = (other.lon - one.lon) * radians * Math.cos(((one.lat + other.lat) / 2) * radians);
  const y = (other.lat - one.lat) * radians;
  return Math.hypot(x, y) * EARTH_RADIUS_M;
}
