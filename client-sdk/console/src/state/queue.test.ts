import { expect, test } from 'vitest';
import { shortcutOf } from './queue';

const pressed = (key: string, code: string, shiftKey = false) => shortcutOf({ key, code, shiftKey });

test('keys are where they are, whatever the layout writes there', () => {
  expect(pressed('j', 'KeyJ')).toBe('J');
  expect(pressed('о', 'KeyJ')).toBe('J');
  expect(pressed('1', 'Digit1')).toBe('1');
  // On a Kazakh keyboard the row of digits writes letters.
  expect(pressed('ә', 'Digit2')).toBe('2');
  expect(pressed('3', 'Numpad3')).toBe('3');
});

test('what is no letter and no digit is no shortcut', () => {
  expect(pressed('!', 'Digit1', true)).toBeNull();
  expect(pressed('0', 'Digit0')).toBeNull();
  for (const key of ['Tab', 'Enter', ' ', 'ArrowDown', '?']) expect(pressed(key, key)).toBeNull();
});
