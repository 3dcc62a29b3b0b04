import { expect, test } from 'vitest';
import { staff, works } from './staff';
import { table } from './table';

test('a cell holds whatever was typed', async () => {
  const file = table(['beat', 'address'], ['101', 'пр. Мира, "новый" дом']);
  expect(await file.text()).toBe('"beat","address"\r\n"101","пр. Мира, ""новый"" дом"');
});

test('whoever has no beat any more is listed beside what ends', async () => {
  const kept = works('Болат ', ['101', '103'], ['101', '102']);
  expect(await kept.file.text()).toBe(await staff('Болат', ['101', '103']).text());
  expect([kept.replaceGrants, kept.retire]).toEqual([true, undefined]);
  const gone = works('Болат', [], ['101', '102']);
  expect(await gone.file.text()).toBe(await staff('Болат', ['101', '102']).text());
  expect([gone.replaceGrants, gone.retire]).toEqual([undefined, true]);
});
