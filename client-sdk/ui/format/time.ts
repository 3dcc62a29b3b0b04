import { FORMAT_TAGS, t } from '../i18n/index.svelte';
import { preferences } from '../state/preferences.svelte';
import { weekday } from './calendar';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const formats = new Map<string, Intl.DateTimeFormat>();

function format(name: 'dateTime' | 'seconds' | 'time' | 'day'): Intl.DateTimeFormat {
  const { locale, timeZone } = preferences;
  const key = `${name} ${locale} ${timeZone}`;
  let found = formats.get(key);
  if (!found) {
    const date = { day: '2-digit', month: '2-digit', year: 'numeric' } as const;
    const time = { hour: '2-digit', minute: '2-digit' } as const;
    const options = {
      dateTime: { ...date, ...time },
      seconds: { ...date, ...time, second: '2-digit' as const },
      time,
      day: date,
    }[name];
    // A day has no zone: it stands for itself.
    found = new Intl.DateTimeFormat(FORMAT_TAGS[locale], {
      ...options,
      timeZone: name === 'day' ? 'UTC' : timeZone,
    });
    formats.set(key, found);
  }
  return found;
}

/** A phone's clock may say anything: what is no date is shown as it stands. */
function shown(instant: string | number, as: Parameters<typeof format>[0]): string {
  const date = new Date(instant);
  return Number.isNaN(date.getTime()) ? String(instant) : format(as).format(date);
}

/** As programs read it. */
export function iso(instant: string | number): string {
  const date = new Date(instant);
  return typeof instant === 'string' || Number.isNaN(date.getTime()) ? String(instant) : date.toISOString();
}

export const dateTime = (instant: string | number): string => shown(instant, 'dateTime');
export const dateTimeSeconds = (instant: string | number): string => shown(instant, 'seconds');
export const timeOfDay = (instant: string | number): string => shown(instant, 'time');
/** A day without a zone, such as `2026-11-01`. */
export const day = (date: string): string => format('day').format(new Date(`${date}T00:00:00Z`));

/** A day in words: “Sunday 31 May 2026”. Not the browser's, which has none for Kazakh. */
export function dayInWords(date: string): string {
  const [year = '', month = '1', day = '1'] = date.split('-');
  return t('calendar.day', {
    year,
    month: t('calendar.months_of').split('|')[Number(month) - 1] ?? month,
    day: String(Number(day)),
    weekday: t('calendar.weekdays_long').split('|')[weekday(date)] ?? '',
  });
}

/** A stretch of time in its largest unit: “3 h”. */
export function duration(ms: number): string {
  const length = Math.abs(ms);
  if (length < MINUTE_MS) return t('duration.seconds', { n: Math.round(length / 1000) });
  if (length < HOUR_MS) return t('duration.minutes', { n: Math.round(length / MINUTE_MS) });
  if (length < 2 * DAY_MS) return t('duration.hours', { n: Math.round(length / HOUR_MS) });
  return t('duration.days', { n: Math.round(length / DAY_MS) });
}

/** How long ago, seen from `now`. */
export function ago(instant: string | number, now: number): string {
  const passed = now - new Date(instant).getTime();
  return passed < MINUTE_MS ? t('time.just_now') : t('time.ago', { duration: duration(passed) });
}
