/**
 * Lines up cells as Go's text/tabwriter does with one blank of padding, which is how BuildKit prints its lists. Tabs (and
 * vertical tabs) end cells, form feeds end lines and tables; a column reaches over lines that follow each other, and what is
 * behind a line's last tab belongs to none. Characters count, not bytes.
 */
export function alignColumns(text: string): string {
  return text
    .split('\f')
    .map((table) => alignTable(table.split('\n').map((line) => line.split(/[\t\v]/))).join('\n'))
    .join('\n');
}

function alignTable(lines: readonly (readonly string[])[]): string[] {
  const aligned = lines.map(() => '');
  alignFrom(
    0,
    lines.map((cells, index) => ({ cells, index })),
  );
  return aligned;

  /** Writes the cells from `column` on; each run of lines that have a cell there shares its width. */
  function alignFrom(column: number, rows: readonly { cells: readonly string[]; index: number }[]): void {
    let run: (typeof rows)[number][] = [];
    for (const row of [...rows, undefined]) {
      if (row !== undefined && column < row.cells.length - 1) {
        run.push(row);
        continue;
      }
      const width = Math.max(0, ...run.map(({ cells }) => widthOf(cells[column])));
      for (const { cells, index } of run) {
        const cell = cells[column] ?? '';
        aligned[index] += cell + ' '.repeat(width + 1 - widthOf(cell));
      }
      if (run.length > 0) alignFrom(column + 1, run);
      run = [];
      if (row !== undefined) aligned[row.index] += row.cells[column] ?? '';
    }
  }
}

function widthOf(cell = ''): number {
  return Array.from(cell).length;
}
