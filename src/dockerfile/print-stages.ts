import type { Healthcheck } from '../oci/index.ts';
import type { Ast } from './ast.ts';
import { docComment } from './doc-comment.ts';
import type { SourceRange } from './graph.ts';
import type {
  ArgCommand,
  Command,
  CommandLine,
  CopyCommand,
  InlineFile,
  KeyValue,
  Stage,
} from './instructions/command.ts';
import { toStages } from './stages.ts';

/**
 * A Dockerfile's stages as `--print=stages` shows them: every instruction judged by itself, no variable expanded yet. Plain
 * JSON whose members only ever grow (docs/graph.md); what is not written is not there.
 */
export interface StagesJson {
  readonly version: 1;
  /** ARGs before the first FROM. */
  readonly globalArgs: readonly ArgJson[];
  readonly stages: readonly StageJson[];
}

export interface StageJson {
  readonly index: number;
  /** Lower case. */
  readonly name?: string;
  /** As written. */
  readonly base: string;
  /** As written. */
  readonly platform?: string;
  /** Lines of its FROM. */
  readonly range: SourceRange;
  /** From the comment right above FROM that begins with the stage's name. */
  readonly description?: string;
  readonly commands: readonly CommandJson[];
}

interface CommandBase<Kind extends Command['kind']> {
  readonly kind: Kind;
  /** The logical line, trimmed. */
  readonly line: string;
  readonly range: SourceRange;
}

/** One declared name of ARG; `value` is its default. */
export interface DeclarationJson {
  readonly key: string;
  readonly value?: string;
}

export interface ArgJson extends CommandBase<'arg'> {
  readonly args: readonly DeclarationJson[];
}

/** The heredoc of a RUN, COPY or ADD; without the leading tabs that `<<-` drops. */
export interface FileJson {
  readonly name: string;
  readonly content: string;
  /** Whether variables in it are expanded. */
  readonly expand: boolean;
}

interface CopyJson extends CommandBase<'add' | 'copy'> {
  readonly sources: readonly string[];
  readonly files: readonly FileJson[];
  readonly destination: string;
  readonly from?: string;
  readonly chown?: string;
  readonly chmod?: string;
  readonly checksum?: string;
  readonly link: boolean;
  readonly parents: boolean;
  readonly exclude: readonly string[];
  readonly keepGitDir?: boolean;
  readonly unpack?: boolean;
}

interface RunJson extends CommandBase<'run'> {
  readonly command: CommandLine;
  readonly files: readonly FileJson[];
  /** Values of `--mount`. */
  readonly mounts: readonly string[];
  readonly devices: readonly string[];
  readonly network: 'default' | 'none' | 'host';
  readonly security: 'sandbox' | 'insecure';
}

export type CommandJson =
  | ArgJson
  | CopyJson
  | RunJson
  | (CommandBase<'env' | 'label'> & { readonly pairs: readonly KeyValue[] })
  | (CommandBase<'maintainer' | 'stopsignal' | 'user' | 'workdir'> & { readonly value: string })
  | (CommandBase<'expose' | 'shell' | 'volume'> & { readonly values: readonly string[] })
  | (CommandBase<'cmd' | 'entrypoint'> & { readonly command: CommandLine })
  | (CommandBase<'healthcheck'> & { readonly check: Healthcheck })
  | (CommandBase<'onbuild'> & { readonly expression: string });

/** @throws DockerfileError as `toStages` */
export function stagesJson(ast: Ast): StagesJson {
  const { globalArgs, stages } = toStages(ast);
  return {
    version: 1,
    globalArgs: globalArgs.map(argJson),
    stages: stages.map(stageJson),
  };
}

function stageJson({ index, name, base, platform, range, comments, commands }: Stage): StageJson {
  const description = docComment(comments, name ?? '');
  return {
    index,
    ...(name === undefined ? {} : { name }),
    base,
    ...given({ platform }),
    range,
    ...given({ description }),
    commands: commands.map(commandJson),
  };
}

function argJson({ line, range, args }: ArgCommand): ArgJson {
  return {
    kind: 'arg',
    line,
    range,
    args: args.map(({ key, value }) => (value === undefined ? { key } : { key, value })),
  };
}

/** Member by member, so that what commands carry for our own use stays out of a format that others read. */
function commandJson(command: Command): CommandJson {
  const { line, range } = command;
  switch (command.kind) {
    case 'arg':
      return argJson(command);
    case 'env':
    case 'label':
      return { kind: command.kind, line, range, pairs: command.pairs };
    case 'maintainer':
    case 'stopsignal':
    case 'user':
    case 'workdir':
      return { kind: command.kind, line, range, value: command.value };
    case 'expose':
    case 'shell':
    case 'volume':
      return { kind: command.kind, line, range, values: command.values };
    case 'cmd':
    case 'entrypoint':
      return { kind: command.kind, line, range, command: command.command };
    case 'healthcheck':
      return { kind: 'healthcheck', line, range, check: command.check };
    case 'onbuild':
      return { kind: 'onbuild', line, range, expression: command.expression };
    case 'run': {
      const { devices, network, security } = command;
      const mounts = command.mounts.map(({ text }) => text);
      const files = command.files.map(fileJson);
      return { kind: 'run', line, range, command: command.command, files, mounts, devices, network, security };
    }
    case 'add':
    case 'copy':
      return copyJson(command);
  }
}

function copyJson(command: CopyCommand): CopyJson {
  const { kind, line, range, sources, destination, from, chown, chmod, checksum, keepGitDir, unpack } = command;
  return {
    kind,
    line,
    range,
    sources,
    files: command.files.map(fileJson),
    destination,
    ...given({ from, chown, chmod, checksum }),
    link: command.link,
    parents: command.parents,
    exclude: command.exclude,
    ...(keepGitDir === undefined ? {} : { keepGitDir }),
    ...(unpack === undefined ? {} : { unpack }),
  };
}

function fileJson({ name, content, expand }: InlineFile): FileJson {
  return { name, content, expand };
}

/** The members that are not empty. */
function given<T extends Readonly<Record<string, string>>>(members: T): Partial<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== '')) as Partial<T>;
}
