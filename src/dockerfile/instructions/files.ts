import { contentOf, type Instruction } from '../ast.ts';
import { DockerfileError } from '../error.ts';
import { parseHeredoc } from '../heredoc.ts';
import type { CopyCommand, InlineFile } from './command.ts';
import { type FlagKinds, readFlags } from './flags.ts';

const shared = { chown: 'text', chmod: 'text', link: 'boolean', exclude: 'list' } as const;
const flagKinds: Readonly<Record<'add' | 'copy', FlagKinds>> = {
  add: { ...shared, 'keep-git-dir': 'boolean', checksum: 'text', unpack: 'boolean' },
  copy: { ...shared, from: 'text', parents: 'boolean' },
};

/** The heredocs of an instruction as files. */
export function inlineFiles(instruction: Instruction): InlineFile[] {
  return instruction.heredocs.map((heredoc) => ({
    name: heredoc.name,
    content: contentOf(heredoc),
    written: heredoc.content,
    expand: heredoc.expand,
  }));
}

/** COPY and ADD. @throws DockerfileError INVALID_ARGUMENT, INVALID_FLAG */
export function parseCopy(
  instruction: Instruction,
  kind: 'add' | 'copy',
): Omit<CopyCommand, 'name' | 'line' | 'range' | 'comments'> {
  const keyword = kind.toUpperCase();
  const sources = instruction.args.slice(0, -1);
  const destination = instruction.args.at(-1);
  if (destination === undefined || sources.length === 0) {
    throw new DockerfileError(
      'INVALID_ARGUMENT',
      `${keyword} requires at least two arguments, but only one was provided. Destination could not be determined`,
    );
  }
  const flags = readFlags(instruction.flags, flagKinds[kind]);
  if (parseHeredoc(destination) !== undefined) {
    throw new DockerfileError('INVALID_ARGUMENT', `${keyword} cannot accept a heredoc as a destination`);
  }
  const bodies = new Map(inlineFiles(instruction).map((file) => [file.name, file]));
  const files = sources.map(parseHeredoc).filter((heredoc) => heredoc !== undefined);
  return {
    kind,
    sources: sources.filter((source) => parseHeredoc(source) === undefined),
    files: files.map(({ name, expand }) => bodies.get(name) ?? { name, content: '', written: '', expand }),
    destination,
    from: flags.text('from'),
    chown: flags.text('chown'),
    chmod: flags.text('chmod'),
    link: flags.boolean('link') ?? false,
    parents: flags.boolean('parents') ?? false,
    exclude: flags.list('exclude'),
    checksum: flags.text('checksum'),
    keepGitDir: flags.boolean('keep-git-dir'),
    unpack: flags.boolean('unpack'),
  };
}
