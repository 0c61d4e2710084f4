import { stripVTControlCharacters } from 'node:util';

/** East Asian Width W and F (UAX #11), as ranges of code points; emoji are looked for by their property. */
const wide: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18dff],
  [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f2ff],
  [0x20000, 0x3fffd],
];

const ascii = /^[\x20-\x7e]*$/;
const invisible = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]/u;
const emoji = /^(?:\p{Emoji_Presentation}|\p{Regional_Indicator}{2}|\p{Emoji}\ufe0f)/u;
// oxlint-disable-next-line no-control-regex -- colour sequences are what is looked for
const pieces = /\u001b\[[0-9;:]*m|[^\u001b]+/g;
let segmenter: Intl.Segmenter | undefined;

/** Columns that a text takes on a terminal: two for wide characters and emoji, none for what combines. Colours do not count. */
export function displayWidth(text: string): number {
  if (ascii.test(text)) return text.length;
  let width = 0;
  for (const cluster of clusters(stripVTControlCharacters(text))) width += clusterWidth(cluster);
  return width;
}

/** Cuts a line to a width with `…` as its last column; a cut line ends plain. */
export function clip(line: string, width: number): string {
  if (displayWidth(line) <= width) return line;
  const coloured = line.includes('\u001b');
  let room = width - 1;
  let result = '';
  for (const [piece] of line.matchAll(pieces)) {
    if (piece.startsWith('\u001b')) {
      result += piece;
      continue;
    }
    for (const cluster of clusters(piece)) {
      room -= clusterWidth(cluster);
      if (room < 0) break;
      result += cluster;
    }
    if (room < 0) break;
  }
  return `${result}…${coloured ? '\u001b[0m' : ''}`;
}

/** Clips or fills a line to exactly a width. */
export function fit(line: string, width: number): string {
  const clipped = clip(line, width);
  return clipped + ' '.repeat(Math.max(0, width - displayWidth(clipped)));
}

/** What a terminal puts into one cell or two: a character with what combines with it. */
function* clusters(text: string): Iterable<string> {
  if (ascii.test(text)) {
    yield* text;
    return;
  }
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  for (const { segment } of segmenter.segment(text)) yield segment;
}

function clusterWidth(cluster: string): number {
  const code = cluster.codePointAt(0) ?? 0;
  if (code < 0x7f && cluster.length === 1) return 1;
  if (emoji.test(cluster) || wide.some(([first, last]) => code >= first && code <= last)) return 2;
  return invisible.test(cluster) ? 0 : 1;
}
