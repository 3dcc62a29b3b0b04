/**
 * The order in which people read lists, as the server has it: `sync-core/src/collation.rs` says what and why, and both pass
 * the same cases. Browsers lack the data for Kazakh, so that `Intl.Collator` would answer otherwise than the server.
 */

const MAX_CHARS = 128;

const SIGNS = '_-‐‑–—,;:!?.…·\'‘’"“”„«»()[]{}§@*/\\&#%‰`´^°©®+±÷×<=>|~¢$£¥₸№';
const CYRILLIC =
  'аәӕбвгґғӻҕӷдԁђԃҙеёєжԫҗзԅԑѕӡԇиҋйјкқӄҡҟҝԟԛлӆԯԓԡљԉԕмӎнԩӊңӈԣҥњԋоөпԥҧҁрҏԗсԍҫтԏҭћуұүѹфхӽӿҳһԧѡѿѽѻцҵчԭҷӌҹҽҿџшщъыіьҍѣэюяԙѥѧѫѩѭѯѱѳѵҩԝӏ';
const LATIN = 'abcdefghijklmnopqrstuvwxyz';

const END = 0;
const SPACE = 1;
const FIRST_SIGN = 2;
const NUMBER = 0x40;
const FIRST_LETTER = 0x50;
const OTHER = 0xf0;
const PLAIN = 1;
const ACCENT = 2;

const WEIGHTS = new Map([
  ...[...SIGNS].map((sign, place) => [sign, FIRST_SIGN + place] as const),
  ...[...CYRILLIC, ...LATIN].map((letter, place) => [letter, FIRST_LETTER + place] as const),
]);

const IGNORED = /^(?:\p{Cc}|[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff])$/u;
const MARK = /^\p{M}$/u;
const PIECES = /[0-9]+|./gsu;

/** A text whose order by code units is that of the texts that keys are made of. */
export function sortKey(text: string): string {
  const primary: number[] = [];
  const accents: { units: number; accent: string }[] = [];
  const capitals: number[] = [];
  let units = 0;
  const unit = (...bytes: number[]) => {
    units += 1;
    primary.push(...bytes);
  };
  const letter = (small: string) => {
    const [base = '', ...marks] = MARK.test(small)
      ? ['', small]
      : WEIGHTS.has(small)
        ? [small]
        : small.normalize('NFD');
    const weight = WEIGHTS.get(base);
    if (weight !== undefined) unit(weight);
    else if (base) unit(OTHER, ...codePoint(base));
    accents.push(...marks.map((accent) => ({ units, accent })));
  };
  const counted = [...text.normalize('NFC')].slice(0, MAX_CHARS).join('');
  for (const piece of counted.match(PIECES) ?? []) {
    if (/^[0-9]/.test(piece)) {
      const digits = piece.replace(/^0+(?=.)/, '');
      unit(NUMBER, digits.length, ...[...digits].map((digit) => digit.charCodeAt(0)));
    } else if (/^\s$/.test(piece)) unit(SPACE);
    else if (!IGNORED.test(piece)) {
      const small = piece.toLowerCase();
      if (small !== piece) capitals.push(units);
      [...small].forEach(letter);
    }
  }
  if (accents.length === 0 && capitals.length === 0) return String.fromCharCode(...primary);
  return String.fromCharCode(...primary, END, ...secondary(accents), END, ...bits(capitals));
}

/** As sorted by the names that each is shown by. */
export function inOrder<T>(all: readonly T[], name: (one: T) => string): T[] {
  const keyed = all.map((one) => ({ one, key: sortKey(name(one)) }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ one }) => one);
}

function secondary(accents: { units: number; accent: string }[]): number[] {
  let passed = 0;
  return accents.flatMap(({ units, accent }) => {
    const plain = new Array<number>(units - passed).fill(PLAIN);
    passed = units;
    return [...plain, ACCENT, ...codePoint(accent)];
  });
}

function bits(units: number[]): number[] {
  const bytes: number[] = [];
  for (const unit of units) {
    const place = unit >> 3;
    while (bytes.length <= place) bytes.push(0);
    bytes[place] = (bytes[place] ?? 0) | (0x80 >> (unit & 7));
  }
  return bytes;
}

function codePoint(letter: string): number[] {
  const point = letter.codePointAt(0) ?? 0;
  return [14, 7, 0].map((shift) => 0x80 | ((point >> shift) & 0x7f));
}
