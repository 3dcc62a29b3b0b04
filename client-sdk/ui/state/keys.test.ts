import { expect, test } from 'vitest';
import { keyOf } from './keys';

test.each([
  ['j', 'KeyJ', false, 'j'],
  ['J', 'KeyJ', true, 'j'],
  ['о', 'KeyJ', false, 'j'],
  ['О', 'KeyJ', true, 'j'],
  ['л', 'KeyK', false, 'k'],
  ['у', 'KeyE', false, 'e'],
  ['.', 'Slash', false, '/'],
  [',', 'Slash', true, '?'],
  ['№', 'Slash', false, '/'],
  ['?', 'Digit7', true, '?'],
  // Dvorak: its J is where others have C.
  ['j', 'KeyC', false, 'j'],
  ['.', 'Period', false, '.'],
  ['ArrowDown', 'ArrowDown', false, 'ArrowDown'],
  ['Escape', 'Escape', false, 'Escape'],
])('%s of the key %s, shift %s, stands for %s', (key, code, shiftKey, meant) => {
  expect(keyOf({ key, code, shiftKey })).toBe(meant);
});
