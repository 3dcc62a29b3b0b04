/** Strokes on a grid of 24, drawn for this console. */
export const ICONS = {
  list: 'M4 6h16M4 12h16M4 18h10',
  map: 'M9 4 3.5 6.5v13L9 17l6 3 5.5-2.5v-13L15 7 9 4Zm0 0v13m6-10v13',
  chart: 'M4 20h16M7 16v-5m5 5V5m5 11v-8',
  fork: 'M6 4v4a4 4 0 0 0 4 4h4a4 4 0 0 1 4 4v4M18 4v4a4 4 0 0 1-4 4',
  shield: 'M12 3.5 5 6v5.5c0 4.3 2.9 7.4 7 9 4.1-1.6 7-4.7 7-9V6l-7-2.5ZM12 9v3.5m0 3h.01',
  phone:
    'M8 3h8a1.5 1.5 0 0 1 1.5 1.5v15A1.5 1.5 0 0 1 16 21H8a1.5 1.5 0 0 1-1.5-1.5v-15A1.5 1.5 0 0 1 8 3Zm3 15h2',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm5-2 4.5 4.5',
  filter: 'M4 6h16M7 12h10m-7 6h4',
  download: 'M12 4v11m-4.5-4L12 15.5 16.5 11M4.5 20h15',
  close: 'm6 6 12 12M18 6 6 18',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  calendar: 'M4.5 6h15v14h-15V6Zm0 4.5h15M8.5 3.5V8m7-4.5V8',
  left: 'm14.5 6-6 6 6 6',
  right: 'm9.5 6 6 6-6 6',
  print: 'M7 9V4h10v5M7 17H4.5V9h15v8H17M7 14h10v6H7v-6Z',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-14v5l3.5 2',
  note: 'M6 4h12v11l-5 5H6V4Zm12 11h-5v5M9 9h6m-6 4h3',
  alert: 'M12 4 2.5 20h19L12 4Zm0 6v4.5m0 2.5h.01',
  back: 'M19 12H5m6-6-6 6 6 6',
  menu: 'M4 7h16M4 12h16M4 17h16',
  up: 'M12 20V5m-6 6 6-6 6 6',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  fit: 'M4 9V4h5m6 0h5v5m0 6v5h-5m-6 0H4v-5',
  keyboard: 'M3 7h18v10H3V7Zm4 3.5h.01m3.3 0h.01m3.3 0h.01m3.3 0h.01M8 14h8',
  withdrawn: 'M9 7 4.5 11.5 9 16m-4.5-4.5H15a4.5 4.5 0 0 1 0 9h-3',
  pin: 'M12 21s-6.5-6-6.5-11a6.5 6.5 0 0 1 13 0c0 5-6.5 11-6.5 11Zm0-8.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z',
} as const;

export type IconName = keyof typeof ICONS;
