/** Under the keys of Kazakh letters a Russian keyboard has these. */
const RUSSIAN = new Map(
  Object.entries({ ә: 'а', ғ: 'г', қ: 'к', ң: 'н', ө: 'о', ұ: 'у', ү: 'у', һ: 'х', і: 'и', ё: 'е' }),
);

/** The words of a name, as `fold` of the core has them: lower case, ё as е, Kazakh letters as Russian ones, no apostrophes. */
function words(text: string): string[] {
  const letters = [...text.toLowerCase().normalize('NFC')].map((letter) => {
    const base = letter.normalize('NFD').charAt(0);
    return RUSSIAN.get(letter) ?? (/[a-z]/.test(base) ? base : letter);
  });
  return (
    letters
      .join('')
      .replace(/[\p{M}'’‘ʼ`´]/gu, '')
      .match(/[\p{L}\p{N}]+/gu) ?? []
  );
}

/** Whether what was typed may mean this name: each of its words begins one of the name's. */
export function finds(typed: string, name: string): boolean {
  const known = words(name);
  return words(typed).every((typed) => known.some((word) => word.startsWith(typed)));
}
