import { beforeEach, expect, test } from 'vitest';
import { USUAL } from './columns.svelte';
import { isShown, readViews, views } from './views.svelte';

beforeEach(() => {
  for (const view of views.all) views.remove(view);
});

test('a view is a name for a filter and its columns, and one name is one view', () => {
  views.save(' Отказы ', '?outcome=refused', USUAL);
  views.save('Шум', '?concern=noise', ['place']);
  views.save('отказы', '?outcome=refused&late=true', USUAL);
  expect(views.all.map(({ name, asked }) => [name, asked])).toEqual([
    ['отказы', '?outcome=refused&late=true'],
    ['Шум', '?concern=noise'],
  ]);
});

test('a view is shown where its filter and its columns are, however the address writes them', () => {
  views.save('Отказы', '?outcome=refused&beat=beat-01', USUAL);
  const [view] = views.all;
  expect(view && isShown(view, '?beat=beat-01&outcome=refused', USUAL)).toBe(true);
  expect(view && isShown(view, '?beat=beat-01', USUAL)).toBe(false);
  expect(view && isShown(view, '?outcome=refused&beat=beat-01', ['place'])).toBe(false);
});

test('a view gets another name unless another view has it', () => {
  views.save('Отказы', '?outcome=refused', USUAL);
  views.save('Шум', '?concern=noise', USUAL);
  const refused = () => views.named('Отказы') ?? { name: '', asked: '', columns: USUAL };
  expect(views.rename(refused(), 'шум')).toBe(false);
  expect(views.rename(refused(), '  ')).toBe(false);
  expect(views.rename(refused(), 'ОТКАЗЫ')).toBe(true);
  expect(views.all.map(({ name }) => name)).toEqual(['ОТКАЗЫ', 'Шум']);
});

test('what a browser kept may be anything', () => {
  for (const text of [null, '', 'x', '7', '{}', 'null', '[null, 1, "a", {"name": 1, "asked": ""}]'])
    expect(readViews(text)).toEqual([]);
  const kept = [
    { name: 'Шум', asked: '?concern=noise&colour=red', columns: ['author', 'size'] },
    { name: 'шум', asked: '' },
    { name: 'Всё', asked: 'javascript:alert(1)' },
  ];
  expect(readViews(JSON.stringify(kept))).toEqual([
    { name: 'Шум', asked: '?concern=noise', columns: ['place', 'author'] },
    { name: 'Всё', asked: '', columns: USUAL },
  ]);
});
