import type { Coverage, Schemas } from '../api/client';
import { addDays, addMonths, weekday } from '$ui/format/calendar';

export interface Stretch {
  /** Its first local day. */
  start: string;
  /** Its last local day. */
  end: string;
  contacted: number;
  attempted: number;
  late: number;
  visits: number;
}

type Bucket = Schemas['Bucket'];

/** All beats together, one element for each stretch of the period: the server leaves out those without a visit. */
export function stretches({
  from,
  to,
  bucket,
  series,
}: Pick<Coverage, 'from' | 'to' | 'bucket' | 'series'>): Stretch[] {
  const sums = new Map<string, Stretch>();
  for (let start = beginning(from, bucket); start <= to; start = following(start, bucket)) {
    const end = addDays(following(start, bucket), -1);
    sums.set(start, { start, end, contacted: 0, attempted: 0, late: 0, visits: 0 });
  }
  for (const point of series) {
    const sum = sums.get(point.start);
    if (!sum) continue;
    sum.contacted += point.contacted;
    sum.attempted += point.attempted;
    sum.late += point.late;
    sum.visits += point.visits;
  }
  return [...sums.values()];
}

/** Each beat over time, in the order in which the server tells them. */
export function beatsOverTime(coverage: Coverage): { beat: string; name: string; stretches: Stretch[] }[] {
  const points = new Map<string, Coverage['series']>();
  for (const point of coverage.series) {
    const known = points.get(point.beat);
    if (known) known.push(point);
    else points.set(point.beat, [point]);
  }
  return coverage.beats.map(({ beat, name }) => ({
    beat,
    name,
    stretches: stretches({ ...coverage, series: points.get(beat) ?? [] }),
  }));
}

/** The first day of the stretch that holds a day: weeks begin on Monday. */
export function beginning(day: string, bucket: Bucket): string {
  if (bucket === 'month') return `${day.slice(0, 7)}-01`;
  if (bucket === 'day') return day;
  return addDays(day, -weekday(day));
}

function following(start: string, bucket: Bucket): string {
  if (bucket === 'day') return addDays(start, 1);
  if (bucket === 'week') return addDays(start, 7);
  return addMonths(start, 1);
}
