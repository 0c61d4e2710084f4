/**
 * Rows as Go's text/tabwriter aligns them: every cell but the last of a row as wide as the widest of its column and
 * `padding` blanks more, empty ones too.
 */
export function tabTable(rows: readonly (readonly string[])[], padding: number): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.slice(0, -1).entries()) {
      widths[column] = Math.max(widths[column] ?? 0, Array.from(cell).length + padding);
    }
  }
  return rows
    .map(
      (row) =>
        `${row.map((cell, column) => (column === row.length - 1 ? cell : pad(cell, widths[column]))).join('')}\n`,
    )
    .join('');
}

function pad(cell: string, width = 0): string {
  return cell + ' '.repeat(width - Array.from(cell).length);
}
