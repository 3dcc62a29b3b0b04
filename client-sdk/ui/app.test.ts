import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const AAA = 7;
/** What tells a control from its ground (WCAG 1.4.11). */
const SEEN = 3;

function tokens(theme: string): Record<string, string> {
  const css = readFileSync(join(import.meta.dirname, 'app.css'), 'utf8');
  const block = css.split(`:root[data-theme='${theme}'] {`)[1]?.split('}')[0] ?? '';
  return Object.fromEntries(
    [...block.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name, hex]) => [name, hex]),
  );
}

/** WCAG's relative luminance. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

test('in daylight every text stands out seven to one, and every line is seen', () => {
  const colors = tokens('daylight');
  const contrast = (one: string, other: string) => {
    const [dark = 0, light = 0] = [one, other]
      .map((name) => luminance(colors[name] ?? ''))
      .sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const grounds = ['ground', 'surface', 'sunken'];
  const texts = ['ink', 'ink-soft', 'accent', 'accent-strong', 'good', 'warn', 'bad'];
  for (const text of texts)
    for (const ground of grounds) expect(contrast(text, ground), `${text} on ${ground}`).toBeGreaterThan(AAA);
  for (const tone of ['accent', 'good', 'warn', 'bad'])
    for (const text of ['ink', 'ink-soft', tone])
      expect(contrast(text, `${tone}-soft`), `${text} on ${tone}-soft`).toBeGreaterThan(AAA);
  for (const filled of ['accent', 'accent-strong', 'bad'])
    expect(contrast('on-accent', filled), `on ${filled}`).toBeGreaterThan(AAA);
  for (const line of ['line', 'line-strong']) expect(contrast(line, 'surface'), line).toBeGreaterThan(SEEN);
});
