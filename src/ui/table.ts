import { displayWidth } from './width.ts';

export interface TableShape {
  /** The least width of a column but the last, blanks included. */
  readonly minimumWidth: number;
  /** Blanks between columns. */
  readonly padding: number;
}

/** Docker's columns: at least ten characters wide, three spaces apart, the last one as it comes. */
const dockerLists: TableShape = { minimumWidth: 10, padding: 3 };

/**
 * Lines up rows of cells in columns, as docker's lists do. Widths are columns of a terminal. Cells must hold one line each;
 * what comes from outside goes through `escapeControls` first.
 */
export function formatTable(rows: readonly (readonly string[])[], shape: TableShape = dockerLists): string {
  const widths = columnWidths(rows, shape);
  return rows
    .map(
      (row) => `${row.map((cell, index) => pad(cell, index === row.length - 1 ? 0 : (widths[index] ?? 0))).join('')}\n`,
    )
    .join('');
}

/** As `formatTable`, for text whose cells end in tabs. */
export function alignTabs(lines: readonly string[]): string {
  return formatTable(lines.map((line) => line.split('\t')));
}

function columnWidths(rows: readonly (readonly string[])[], { minimumWidth, padding }: TableShape): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) {
      if (index < row.length - 1) widths[index] = Math.max(widths[index] ?? minimumWidth, displayWidth(cell) + padding);
    }
  }
  return widths;
}

function pad(cell: string, width: number): string {
  return cell + ' '.repeat(Math.max(0, width - displayWidth(cell)));
}
