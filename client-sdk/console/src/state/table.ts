/** A table of a few rows, as a spreadsheet would save it. */
export function table(header: readonly string[], ...rows: (readonly string[])[]): Blob {
  const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const lines = [header, ...rows].map((cells) => cells.map(cell).join(','));
  return new Blob([lines.join('\r\n')]);
}
