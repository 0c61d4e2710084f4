import type { Directive, Escape } from './ast.ts';
import { DockerfileError } from './error.ts';
import { trim, trimStart } from './text.ts';

const known: ReadonlySet<string> = new Set(['syntax', 'escape', 'check']);

/** Reads `# name=value` lines for as long as nothing else has come. */
export interface DirectiveReader {
  /** The directive in `line` (leading blanks removed); the first line that is none ends the zone. */
  read(line: string, number: number): Directive | undefined;
}

export function directiveReader(): DirectiveReader {
  const seen = new Set<string>();
  let done = false;
  return {
    read(line, number) {
      if (done) return undefined;
      const directive = line.startsWith('#') ? parseDirective(trimStart(line.slice(1)), number) : undefined;
      if (directive === undefined) {
        done = true;
        return undefined;
      }
      if (seen.has(directive.name)) {
        throw new DockerfileError('SYNTAX', `only one ${directive.name} parser directive can be used`);
      }
      seen.add(directive.name);
      return directive;
    },
  };
}

export function parseEscape(value: string): Escape {
  if (value === '\\' || value === '`') return value;
  throw new DockerfileError('SYNTAX', `invalid escape token '${value}' does not match \` or \\`);
}

function parseDirective(text: string, line: number): Directive | undefined {
  const equals = text.indexOf('=');
  if (equals < 0) return undefined;
  const name = trim(text.slice(0, equals)).toLowerCase();
  const value = trim(text.slice(equals + 1));
  if (!known.has(name) || value === '') return undefined;
  return { name: name as Directive['name'], value, line };
}
