import { DockerfileError } from './error.ts';

/** What `--chmod` asks for. */
export type FileMode =
  | { readonly kind: 'octal'; readonly mode: number }
  /** As chmod(1) has it: clauses one after the other, each on what the one before left. */
  | { readonly kind: 'symbolic'; readonly clauses: readonly ModeClause[] };

export interface ModeClause {
  /** Nobody named is everybody, whatever the umask. */
  readonly who: readonly ('u' | 'g' | 'o')[];
  readonly actions: readonly ModeAction[];
}

export interface ModeAction {
  readonly operator: '+' | '-' | '=';
  /** Letters of `rwxXst`, or one of `ugo` whose permissions are copied. */
  readonly permissions: string;
}

const clauseForm = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/;

/**
 * Reads a `--chmod`: octal up to 07777, or symbolic (`u=rwX,go=rX`).
 * @throws DockerfileError INVALID_ARGUMENT
 */
export function parseFileMode(text: string): FileMode {
  if (/^[0-7]+$/.test(text)) {
    const mode = Number.parseInt(text, 8);
    if (mode <= 0o7777) return { kind: 'octal', mode };
    throw invalid(text);
  }
  return { kind: 'symbolic', clauses: text.split(',').map((clause) => parseClause(clause, text)) };
}

function parseClause(clause: string, text: string): ModeClause {
  const [, named, actions] = clauseForm.exec(clause) ?? [];
  if (named === undefined || actions === undefined) throw invalid(text);
  const everybody = named === '' || named.includes('a');
  return {
    who: (['u', 'g', 'o'] as const).filter((each) => everybody || named.includes(each)),
    actions: Array.from(actions.matchAll(/([-+=])([^-+=]*)/g), ([, operator, permissions = '']) => ({
      operator: operator as ModeAction['operator'],
      permissions,
    })),
  };
}

function invalid(text: string): DockerfileError {
  return new DockerfileError(
    'INVALID_ARGUMENT',
    `invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`,
    { hint: 'the symbolic form is allowed too, such as u=rwX,go=rX' },
  );
}
