import { parseForHead } from './collection-parser.ts';
import { describe, type Scanner, type Token } from './scanner.ts';
import { errorAt, join, type Span } from './source.ts';
import type { Expression } from './syntax.ts';
import { foldTemplate, type Piece } from './template-pieces.ts';

/** After the opening quote. */
export function parseQuoted(scanner: Scanner, open: Span): Expression {
  const pieces = readPieces(scanner, { quoted: true, end: scanner.source.text.length });
  if (scanner.source.text[scanner.offset] !== '"')
    throw errorAt(open, 'the text does not end: a closing quote is missing');
  scanner.offset += 1;
  return foldTemplate(pieces, scanner.span(open.start), { unwrap: true, trim: 'all' });
}

/** A whole text, such as a string of JSON. */
export function parseTemplate(scanner: Scanner): Expression {
  const { source } = scanner;
  const end = source.text.length;
  return foldTemplate(
    readPieces(scanner, { quoted: false, end }),
    { source, start: 0, end },
    { unwrap: true, trim: 'line' },
  );
}

/** After `<<WORD` and its line break. `<<-` takes the indentation away that all lines share. */
export function parseHeredoc(scanner: Scanner, open: Token): Expression {
  const [, dash = '', word = ''] = /^<<(-?)(\S+)/.exec(open.text) ?? [];
  const begin = scanner.offset;
  const closing = findClosing(scanner.source.text, begin, word);
  if (closing === undefined)
    throw errorAt(open.span, `the document does not end: there is no line ${JSON.stringify(word)}`);
  const pieces = readPieces(scanner, { quoted: false, end: closing.start });
  // The line break after the word belongs to what is around the document.
  scanner.offset = closing.end;
  return foldTemplate(dash === '' ? pieces : outdent(pieces), scanner.span(open.span.start), {
    unwrap: false,
    trim: 'line',
  });
}

function findClosing(text: string, begin: number, word: string): { start: number; end: number } | undefined {
  for (let start = begin; start <= text.length; ) {
    const lineEnd = text.indexOf('\n', start);
    const line = text.slice(start, lineEnd < 0 ? text.length : lineEnd);
    if (line.trim() === word) return { start, end: start + line.trimEnd().length };
    if (lineEnd < 0) return undefined;
    start = lineEnd + 1;
  }
  return undefined;
}

/** Takes the smallest indentation from each line; blank lines do not count. */
function outdent(pieces: readonly Piece[]): Piece[] {
  let least = Number.POSITIVE_INFINITY;
  let atStart = true;
  for (const piece of pieces) {
    if (piece.kind !== 'text') {
      if (atStart) least = 0;
      atStart = false;
      continue;
    }
    const lines = piece.text.split('\n');
    for (const [index, line] of lines.entries()) {
      const isLast = index === lines.length - 1;
      const begins = index > 0 || atStart;
      if (!begins || (line.trim() === '' && (!isLast || piece === pieces.at(-1)))) continue;
      least = Math.min(least, line.length - line.trimStart().length);
    }
    atStart = piece.text.endsWith('\n') || (atStart && piece.text === '');
    if (!atStart && lines.length > 0 && (lines.at(-1) ?? '').trim() === '' && piece.text !== '') atStart = false;
  }
  return cutIndentation(pieces, Number.isFinite(least) ? least : 0);
}

function cutIndentation(pieces: readonly Piece[], width: number): Piece[] {
  let atStart = true;
  return pieces.map((piece) => {
    if (piece.kind !== 'text') {
      atStart = false;
      return piece;
    }
    const lines = piece.text.split('\n');
    const cut = lines.map((line, index) =>
      index > 0 || atStart ? line.slice(Math.min(width, line.length - line.trimStart().length)) : line,
    );
    atStart = piece.text.endsWith('\n');
    return { ...piece, text: cut.join('\n') };
  });
}

interface Extent {
  /** Ends at a quote; backslashes mean something; line breaks are not allowed. */
  readonly quoted: boolean;
  readonly end: number;
}

function readPieces(scanner: Scanner, extent: Extent): Piece[] {
  const { text } = scanner.source;
  const pieces: Piece[] = [];
  let literal = '';
  let start = scanner.offset;
  const flush = (): void => {
    if (literal !== '') pieces.push({ kind: 'text', text: literal, span: scanner.span(start) });
    literal = '';
  };
  while (scanner.offset < extent.end) {
    const rest = text.slice(scanner.offset, scanner.offset + 4);
    if (extent.quoted && rest.startsWith('"')) break;
    if (extent.quoted && rest.startsWith('\n')) {
      flush();
      scanner.fail(
        'a text ends before the end of its line; write \\n, or a document <<WORD',
        scanner.span(scanner.offset, scanner.offset + 1),
      );
    }
    if (rest.startsWith('$${') || rest.startsWith('%%{')) {
      literal += rest.slice(1, 3);
      scanner.offset += 3;
    } else if (rest.startsWith('${') || rest.startsWith('%{')) {
      flush();
      pieces.push(readMarked(scanner));
      start = scanner.offset;
    } else if (extent.quoted && rest.startsWith('\\')) {
      literal += readEscape(scanner);
    } else {
      literal += text[scanner.offset];
      scanner.offset += 1;
    }
  }
  flush();
  return pieces;
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' };

function readEscape(scanner: Scanner): string {
  const { text } = scanner.source;
  const begin = scanner.offset;
  const letter = text[begin + 1] ?? '';
  const simple = escapes[letter];
  if (simple !== undefined) {
    scanner.offset += 2;
    return simple;
  }
  const width = letter === 'u' ? 4 : letter === 'U' ? 8 : 0;
  const digits = text.slice(begin + 2, begin + 2 + width);
  const code = Number.parseInt(digits, 16);
  if (width === 0 || digits.length < width || !/^[0-9a-fA-F]+$/.test(digits) || code > 0x10ffff)
    scanner.fail(`unknown escape ${JSON.stringify(`\\${letter}`)}`, scanner.span(begin, begin + 2));
  scanner.offset += 2 + width;
  return String.fromCodePoint(code);
}

/** `${ … }` or `%{ … }` */
function readMarked(scanner: Scanner): Piece {
  const begin = scanner.offset;
  const isDirective = scanner.source.text[begin] === '%';
  scanner.offset += 2;
  const trimBefore = scanner.source.text[scanner.offset] === '~';
  if (trimBefore) scanner.offset += 1;
  return scanner.lines('ignored', () => {
    const content = isDirective
      ? readDirective(scanner)
      : ({ kind: 'value', expression: scanner.expression() } as const);
    const close = scanner.take('}') ?? scanner.take('~}');
    if (close === undefined)
      return scanner.fail(`expected "}" to end ${isDirective ? '%{' : '${'}, found ${describe(scanner.peek())}`);
    const span = join(scanner.span(begin, begin + 2), close.span);
    return { ...content, trimBefore, trimAfter: close.text === '~}', span };
  });
}

type Directive =
  | { readonly kind: 'if'; readonly condition: Expression }
  | ({ readonly kind: 'for' } & ReturnType<typeof parseForHead>)
  | { readonly kind: 'else' | 'endif' | 'endfor' };

function readDirective(scanner: Scanner): Directive {
  const token = scanner.peek();
  switch (token.text) {
    case 'for':
      return { kind: 'for', ...parseForHead(scanner) };
    case 'if':
      scanner.next();
      return { kind: 'if', condition: scanner.expression() };
    case 'else':
    case 'endif':
    case 'endfor':
      scanner.next();
      return { kind: token.text };
    default:
      return scanner.fail(`after %{ comes if, else, endif, for or endfor, found ${describe(token)}`);
  }
}
