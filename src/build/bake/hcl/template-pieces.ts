import { errorAt, join, type Span } from './source.ts';
import type { Expression, ForExpression } from './syntax.ts';

/** What a template is read as, before `if` and `for` are joined with their ends. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string; readonly span: Span }
  | ({ readonly trimBefore: boolean; readonly trimAfter: boolean; readonly span: Span } & (
      | { readonly kind: 'value'; readonly expression: Expression }
      | { readonly kind: 'if'; readonly condition: Expression }
      | ({ readonly kind: 'for' } & Pick<ForExpression, 'keyName' | 'valueName' | 'collection'>)
      | { readonly kind: 'else' | 'endif' | 'endfor' }
    ));

export interface FoldOptions {
  /** Whether one value alone stays what it is, instead of becoming text. */
  readonly unwrap: boolean;
  /** How far the marks `~` reach: over all blanks up to the next word, or no further than one line's end. */
  readonly trim: 'all' | 'line';
}

/** The expression that a template is. */
export function foldTemplate(pieces: readonly Piece[], span: Span, options: FoldOptions): Expression {
  const folder = new Folder(trim(pieces, options.trim));
  const parts = folder.parts([]);
  if (parts.length === 0) return { kind: 'literal', value: '', span };
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) {
    if (first.kind === 'literal' && pieces[0]?.kind === 'text') return { ...first, span };
    if (options.unwrap && pieces[0]?.kind === 'value') return first;
  }
  return { kind: 'template', parts, span };
}

/** Carries out the marks `~`. */
function trim(pieces: readonly Piece[], reach: FoldOptions['trim']): readonly Piece[] {
  return pieces.map((piece, index) => {
    if (piece.kind !== 'text') return piece;
    const before = pieces[index - 1];
    const after = pieces[index + 1];
    let { text } = piece;
    if (before !== undefined && before.kind !== 'text' && before.trimAfter) text = trimStart(text, reach);
    if (after !== undefined && after.kind !== 'text' && after.trimBefore) text = trimEnd(text, reach);
    return { ...piece, text };
  });
}

function trimStart(text: string, reach: FoldOptions['trim']): string {
  if (reach === 'all') return text.trimStart();
  const end = text.indexOf('\n') + 1;
  return end === 0 ? text.trimStart() : text.slice(0, end).trimStart() + text.slice(end);
}

function trimEnd(text: string, reach: FoldOptions['trim']): string {
  if (reach === 'all') return text.trimEnd();
  const start = text.lastIndexOf('\n', text.length - 2) + 1;
  return text.slice(0, start) + text.slice(start).trimEnd();
}

class Folder {
  readonly #pieces: readonly Piece[];
  #at = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  /** Up to one of `ends`, which is left for the caller, or to the end of the template. */
  parts(ends: readonly Piece['kind'][]): Expression[] {
    const parts: Expression[] = [];
    for (; this.#at < this.#pieces.length; ) {
      const piece = this.#pieces[this.#at];
      if (piece === undefined || ends.includes(piece.kind)) break;
      this.#at += 1;
      switch (piece.kind) {
        case 'text':
          if (piece.text !== '') parts.push({ kind: 'literal', value: piece.text, span: piece.span });
          break;
        case 'value':
          parts.push(piece.expression);
          break;
        case 'if':
          parts.push(this.#conditional(piece));
          break;
        case 'for':
          parts.push(this.#loop(piece));
          break;
        case 'else':
        case 'endif':
        case 'endfor':
          throw errorAt(piece.span, `%{ ${piece.kind} } without its beginning`);
      }
    }
    return parts;
  }

  #conditional(begin: Piece & { kind: 'if' }): Expression {
    const whenTrue = this.#block(begin.span, ['else', 'endif']);
    const middle = this.#next(begin, 'endif');
    const whenFalse = middle.kind === 'else' ? this.#block(middle.span, ['endif']) : this.#empty(middle.span);
    const end = middle.kind === 'else' ? this.#next(begin, 'endif') : middle;
    return { kind: 'conditional', condition: begin.condition, whenTrue, whenFalse, span: join(begin.span, end.span) };
  }

  #loop(begin: Piece & { kind: 'for' }): Expression {
    const value = this.#block(begin.span, ['endfor']);
    const end = this.#next(begin, 'endfor');
    const { keyName, valueName, collection } = begin;
    const span = join(begin.span, end.span);
    return {
      kind: 'for',
      keyName,
      valueName,
      collection,
      key: undefined,
      value,
      condition: undefined,
      group: false,
      joined: true,
      span,
    };
  }

  #block(span: Span, ends: readonly Piece['kind'][]): Expression {
    const parts = this.parts(ends);
    return parts.length === 0 ? this.#empty(span) : { kind: 'template', parts, span };
  }

  #empty(span: Span): Expression {
    return { kind: 'literal', value: '', span };
  }

  #next(begin: Piece, wanted: string): Piece {
    const piece = this.#pieces[this.#at];
    if (piece === undefined) throw errorAt(begin.span, `%{ ${begin.kind} } has no %{ ${wanted} }`);
    this.#at += 1;
    return piece;
  }
}
