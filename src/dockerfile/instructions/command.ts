import type { Healthcheck } from '../../oci/index.ts';
import type { SourceRange } from '../graph.ts';

/** What every instruction of a stage has. */
interface CommandBase {
  /** As written: `RUN`, `run`. */
  readonly name: string;
  /** The logical line, trimmed. */
  readonly line: string;
  readonly range: SourceRange;
  /** Comments right above, without `#`. */
  readonly comments: readonly string[];
}

export interface KeyValue {
  readonly key: string;
  readonly value: string;
  /** Whether it is written in the old form, with a blank in place of `=`. */
  readonly old: boolean;
}

export interface ArgDeclaration {
  readonly key: string;
  /** The default; undefined where none is written. */
  readonly value: string | undefined;
}

export interface ArgCommand extends CommandBase {
  readonly kind: 'arg';
  readonly args: readonly ArgDeclaration[];
}

export interface EnvCommand extends CommandBase {
  readonly kind: 'env' | 'label';
  readonly pairs: readonly KeyValue[];
}

/** An instruction whose argument is one text. */
export interface TextCommand extends CommandBase {
  readonly kind: 'maintainer' | 'stopsignal' | 'user' | 'workdir';
  readonly value: string;
}

/** An instruction whose arguments are a list of texts. */
export interface ListCommand extends CommandBase {
  readonly kind: 'expose' | 'shell' | 'volume';
  readonly values: readonly string[];
}

/** A command line in either form. */
export interface CommandLine {
  readonly args: readonly string[];
  /** Whether the shell comes before `args` (one text then). */
  readonly shell: boolean;
}

export interface ProcessCommand extends CommandBase {
  readonly kind: 'cmd' | 'entrypoint';
  readonly command: CommandLine;
}

export interface HealthcheckCommand extends CommandBase {
  readonly kind: 'healthcheck';
  readonly check: Healthcheck;
}

export interface OnbuildCommand extends CommandBase {
  readonly kind: 'onbuild';
  /** The trigger with its heredocs, as configs keep it. */
  readonly expression: string;
}

export interface InlineFile {
  readonly name: string;
  /** Leading tabs dropped where `<<-` asks for it. */
  readonly content: string;
  /** As written, for a shell that reads the heredoc itself. */
  readonly written: string;
  readonly expand: boolean;
}

export interface MountFlag {
  /** The value as written. */
  readonly text: string;
  /** Its number among all flags of the instruction. */
  readonly flag: number;
}

export interface RunCommand extends CommandBase {
  readonly kind: 'run';
  readonly command: CommandLine;
  readonly files: readonly InlineFile[];
  /** Values of `--mount`; their variables are known only in the stage. */
  readonly mounts: readonly MountFlag[];
  readonly devices: readonly string[];
  readonly network: 'default' | 'none' | 'host';
  readonly security: 'sandbox' | 'insecure';
}

export interface CopyCommand extends CommandBase {
  readonly kind: 'add' | 'copy';
  readonly sources: readonly string[];
  readonly files: readonly InlineFile[];
  readonly destination: string;
  readonly from: string;
  readonly chown: string;
  readonly chmod: string;
  readonly link: boolean;
  readonly parents: boolean;
  readonly exclude: readonly string[];
  readonly checksum: string;
  readonly keepGitDir: boolean | undefined;
  readonly unpack: boolean | undefined;
}

export type Command =
  | ArgCommand
  | EnvCommand
  | TextCommand
  | ListCommand
  | ProcessCommand
  | HealthcheckCommand
  | OnbuildCommand
  | RunCommand
  | CopyCommand;

/** FROM and what follows up to the next one. */
export interface Stage {
  /** Its place in the file, from 0. */
  readonly index: number;
  /** Lower case; undefined where FROM has no AS. */
  readonly name: string | undefined;
  /** As written, before expansion. */
  readonly base: string;
  /** Value of `--platform`, before expansion. */
  readonly platform: string;
  /** As written: `FROM`, `from`. */
  readonly keyword: string;
  readonly range: SourceRange;
  /** Comments right above, without `#`. */
  readonly comments: readonly string[];
  readonly commands: readonly Command[];
}

/** The file as ARGs before the first FROM, and stages. */
export interface Stages {
  readonly globalArgs: readonly ArgCommand[];
  readonly stages: readonly Stage[];
}
