/** What a terminal shows after all that was written: the few sequences that progress uses, wrapping as terminals do. */
export function terminalAfter(text: string, columns: number): string[] {
  const rows: string[][] = [[]];
  let [row, column, wrap] = [0, 0, true];
  const at = (index: number): string[] => {
    while (rows.length <= index) rows.push([]);
    return rows[index] ?? [];
  };
  // oxlint-disable-next-line no-control-regex -- the sequences are what is carried out
  for (const [part, digits, final] of text.matchAll(/\u001b\[[?]?([0-9;]*)([A-Za-z])|\r|\n|[^\u001b\r\n]/gu)) {
    if (part === '\r') column = 0;
    else if (part === '\n') [row, column] = [row + 1, 0];
    else if (final === 'A') row = Math.max(0, row - Number(digits));
    else if (final === 'K') at(row).splice(column);
    else if (final === 'J') {
      at(row).splice(column);
      rows.splice(row + 1);
    } else if (final === 'h' || final === 'l') wrap = digits === '7' ? final === 'h' : wrap;
    else if (final === undefined) {
      if (column === columns) [row, column] = wrap ? [row + 1, 0] : [row, columns - 1];
      const cells = at(row);
      while (cells.length < column) cells.push(' ');
      cells[column] = part;
      column += 1;
    }
  }
  return rows.map((cells) => cells.join('').trimEnd());
}
