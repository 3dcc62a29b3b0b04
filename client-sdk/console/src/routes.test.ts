import { expect, test } from 'vitest';
import { match, movedTo, SECTIONS } from './routes';

test('addresses of the history from before it had a path of its own lead to it', () => {
  expect(movedTo('/', '?beat=beat-01')).toBe('/visits?beat=beat-01');
  expect(movedTo('/', '')).toBeNull();
  expect(movedTo('/map', '?beat=beat-01')).toBeNull();
});

test('every section has a page that needs what the section needs, the start page first', () => {
  for (const { href, needs } of SECTIONS) expect(match(href)?.needs).toBe(needs);
  expect(SECTIONS[0]?.href).toBe('/');
});
