import { FunctionFailure } from '../hcl/limits.ts';
import { errorAt, type Source, type Span } from '../hcl/source.ts';
import { interpolate, type Variables } from './interpolate.ts';

export type Path = readonly (string | number)[];

/** A compose file as plain data, with places for errors. */
export interface ComposeDocument {
  readonly source: Source;
  readonly root: unknown;
  spanOf(path: Path): Span;
}

/**
 * Reads YAML and puts variables into all its texts.
 * @throws BuildError BAKE_INVALID
 */
export async function parseYaml(source: Source, variables: Variables): Promise<ComposeDocument> {
  const { isNode, parseDocument } = await import('yaml');
  const document = parseDocument(source.text, { merge: true, prettyErrors: false, logLevel: 'error' });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) {
    const [start, end] = problem.pos;
    throw errorAt(
      { source, start, end },
      problem.code === 'TAG_RESOLVE_FAILED' ? `${problem.message}: tags are not supported` : problem.message,
    );
  }
  const spanOf = (path: Path): Span => {
    for (let length = path.length; length > 0; length--) {
      const node: unknown = document.getIn(path.slice(0, length), true);
      const range = isNode(node) ? node.range : undefined;
      if (range !== undefined && range !== null) return { source, start: range[0], end: range[1] };
    }
    return { source, start: 0, end: 0 };
  };
  try {
    const root: unknown = document.toJS({ maxAliasCount: 100 });
    return { source, root: fill(root, [], { variables, spanOf, source }), spanOf };
  } catch (error) {
    if (error instanceof ReferenceError) throw errorAt({ source, start: 0, end: 0 }, error.message, { cause: error });
    throw error;
  }
}

interface Filling extends Pick<ComposeDocument, 'spanOf' | 'source'> {
  readonly variables: Variables;
}

function fill(value: unknown, path: Path, filling: Filling): unknown {
  if (path.length > 100) throw errorAt(filling.spanOf(path.slice(0, 5)), 'the file is nested more than 100 deep');
  if (typeof value === 'string') {
    try {
      return interpolate(value, filling.variables);
    } catch (error) {
      if (!(error instanceof FunctionFailure)) throw error;
      throw errorAt(filling.spanOf(path), error.message, { cause: error });
    }
  }
  if (Array.isArray(value)) return value.map((item, index) => fill(item, [...path, index], filling));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, [...path, key], filling)]));
}

/** Reads parts of a document as what they must be. All throw BuildError BAKE_INVALID with the place. */
export class Reading {
  readonly document: ComposeDocument;

  constructor(document: ComposeDocument) {
    this.document = document;
  }

  fail(path: Path, why: string): never {
    throw errorAt(this.document.spanOf(path), `${path.join('.')}: ${why}`);
  }

  object(value: unknown, path: Path): Readonly<Record<string, unknown>> {
    if (value === null || value === undefined) return {};
    if (typeof value !== 'object' || Array.isArray(value)) this.fail(path, 'must be a mapping');
    return value as Readonly<Record<string, unknown>>;
  }

  text(value: unknown, path: Path): string {
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    return this.fail(path, 'must be a text');
  }

  flag(value: unknown, path: Path): boolean {
    if (typeof value === 'boolean') return value;
    const text = typeof value === 'string' ? value.toLowerCase() : '';
    if (['true', 'yes', 'y', 'on', '1'].includes(text)) return true;
    if (['false', 'no', 'n', 'off', '0', ''].includes(text) && typeof value === 'string') return false;
    return this.fail(path, 'must be true or false');
  }

  texts(value: unknown, path: Path): string[] {
    if (value === null || value === undefined) return [];
    if (typeof value === 'string') return [value];
    if (!Array.isArray(value)) this.fail(path, 'must be a list');
    return (value as readonly unknown[]).map((item, index) => this.text(item, [...path, index]));
  }

  /** A mapping, or a list of `key=value`; a key alone has no value. */
  pairs(value: unknown, path: Path, separators = '='): Record<string, string | null> {
    if (!Array.isArray(value)) {
      const entries = Object.entries(this.object(value, path));
      return Object.fromEntries(
        entries.map(([key, item]) => [key, item === null ? null : this.text(item, [...path, key])]),
      );
    }
    return Object.fromEntries(
      this.texts(value, path).map((text) => {
        const at = text.search(new RegExp(`[${separators}]`));
        return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
      }),
    );
  }
}
