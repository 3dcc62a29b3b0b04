import { expect, test } from 'vitest';
import { areaOf, bboxText, between, readArea } from './geometry';

test('an area survives the address', () => {
  const area = between([76.95, 43.2], [76.9, 43.25]);
  expect(area).toEqual([76.9, 43.2, 76.95, 43.25]);
  expect(readArea(bboxText(area))).toEqual(area);
});

test('numbers are taken as somebody writes them, with a comma or a full stop', () => {
  expect(areaOf(['76,9', ' 43.2 ', '76.95', '43,25'])).toEqual([76.9, 43.2, 76.95, 43.25]);
});

test('what is no rectangle on the globe is none', () => {
  for (const text of [null, '', '1,2,3', '1,2,3,4,5', 'a,b,c,d', '77,43,76,44', '76,44,77,43', '76,43,76,44'])
    expect(readArea(text), String(text)).toBeNull();
  for (const text of ['-181,0,0,1', '0,-91,1,0', '0,0,181,1', '0,0,1,90.5', '0,0,1e1,1', '0,0,,1'])
    expect(readArea(text), text).toBeNull();
});
