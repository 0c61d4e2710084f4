import type { Ast } from '../ast.ts';
import { parse, type ParseOptions } from '../parse.ts';
import { quote } from '../quote.ts';
import {
  healthcheckLine,
  processLine,
  runCommand,
  shellInstruction,
  type StageCommand,
  type StageHealthcheckOptions,
  type StageRunOptions,
} from './commands.ts';
import { argLine, exposeLine, pairsLine, textLine, volumeLine } from './config.ts';
import type { GlobalArgs, Passage, StageDefinition, StageValue } from './definition.ts';
import {
  addFiles,
  copyFiles,
  type Sources,
  type StageAddOptions,
  type StageCopyOptions,
  type StageWriteOptions,
  writeFile,
} from './files.ts';
import { charactersOf, type DockerfileText } from './literal.ts';
import { checkOrigin } from './origin.ts';
import { writeProgram } from './program.ts';
import { instructionLine, invalid } from './quoting.ts';

/** What FROM says beside the image. */
export interface FromOptions {
  /** The stage's name: lower case, `[a-z][a-z0-9-_.]*`. */
  readonly as?: string;
  /** Such as `linux/arm64` or `$BUILDPLATFORM`. */
  readonly platform?: DockerfileText;
  /** ARGs before the first FROM, which `base` may use; undefined for one without a default. */
  readonly args?: GlobalArgs;
}

/**
 * A stage, which never changes: each method gives a new one with an instruction more. A stage may be gone on from in
 * several ways, and read by others, which brings it into their Dockerfile. Methods throw a DockerfileError
 * (INVALID_ARGUMENT) for what the language cannot express.
 */
export class BuildStage implements StageValue {
  readonly definition: StageDefinition;

  constructor(definition: StageDefinition) {
    this.definition = definition;
  }

  /** The same stage under a name. Different stages of one Dockerfile must not share one. */
  as(name: string): BuildStage {
    if (!/^[a-z][a-z0-9-_.]*$/.test(name) || name === 'scratch' || name === 'context') {
      throw invalid(`no name for a stage: ${quote(name)}`, 'lower-case letters, digits, - _ and ., a letter first');
    }
    return new BuildStage({ ...this.definition, name });
  }

  /**
   * RUN. A string is a line for the shell, or with line breaks a script (a heredoc, whose last line is ended if it is
   * not); a list is a program and its arguments, without a shell. `$` is the shell's either way.
   */
  run(command: StageCommand, options: StageRunOptions = {}): BuildStage {
    return this.#with(runCommand(command, options));
  }

  /** COPY from the build context, a stage or an image. Sources may be patterns. */
  copy(sources: Sources, destination: DockerfileText, options: StageCopyOptions = {}): BuildStage {
    return this.#with(copyFiles(sources, destination, options));
  }

  /** ADD: COPY that also takes URLs and git repositories, and unpacks archives. */
  add(sources: Sources, destination: DockerfileText, options: StageAddOptions = {}): BuildStage {
    return this.#with(addFiles(sources, destination, options));
  }

  /** A text file at `path` (COPY of a heredoc). Its last line is ended if it is not. */
  write(path: DockerfileText, text: DockerfileText, options: StageWriteOptions = {}): BuildStage {
    return this.#with(writeFile(path, text, options));
  }

  env(values: Readonly<Record<string, DockerfileText>>): BuildStage {
    return Object.keys(values).length === 0 ? this : this.#line(pairsLine('ENV', values));
  }

  label(values: Readonly<Record<string, DockerfileText>>): BuildStage {
    return Object.keys(values).length === 0 ? this : this.#line(pairsLine('LABEL', values));
  }

  /** ARG: a build argument, with a default or with none. */
  arg(name: string, byDefault?: DockerfileText): BuildStage {
    return this.#line(argLine(name, byDefault));
  }

  workdir(path: DockerfileText): BuildStage {
    return this.#line(textLine('WORKDIR', path));
  }

  /** USER: `name[:group]`, names or numbers. */
  user(name: DockerfileText): BuildStage {
    return this.#line(textLine('USER', name));
  }

  /** EXPOSE: `8080`, `53/udp`, `8000-8010`. */
  expose(...ports: readonly (number | string)[]): BuildStage {
    return this.#line(exposeLine(ports));
  }

  volume(...paths: readonly DockerfileText[]): BuildStage {
    return this.#line(volumeLine(paths));
  }

  /** CMD. A string is a line for the shell; an empty list takes the base's command away. */
  cmd(command: StageCommand): BuildStage {
    return this.#line(processLine('CMD', command));
  }

  /** ENTRYPOINT, as `cmd`. */
  entrypoint(command: StageCommand): BuildStage {
    return this.#line(processLine('ENTRYPOINT', command));
  }

  /** SHELL: what commands given as strings are run by, such as `['/bin/bash', '-c']`. */
  shell(program: readonly string[]): BuildStage {
    return this.#line(shellInstruction(program));
  }

  healthcheck(command: StageCommand, options: StageHealthcheckOptions = {}): BuildStage {
    return this.#line(healthcheckLine(command, options));
  }

  /** HEALTHCHECK NONE: without the base's check. */
  noHealthcheck(): BuildStage {
    return this.#line('HEALTHCHECK NONE');
  }

  /** STOPSIGNAL: a name or a number. */
  stopsignal(signal: number | DockerfileText): BuildStage {
    return this.#line(textLine('STOPSIGNAL', typeof signal === 'number' ? String(signal) : signal));
  }

  /** ONBUILD, for each instruction that `triggers` adds to the stage it is given. */
  onbuild(triggers: (stage: BuildStage) => BuildStage): BuildStage {
    return this.#with(...triggers(scratch).definition.passages.map(triggerOf));
  }

  /** The Dockerfile whose last stage is this one. @throws DockerfileError INVALID_ARGUMENT where two stages share a name */
  toDockerfile(): string {
    return writeProgram(this.definition);
  }

  /** The Dockerfile as `parse` reads it, for `needs` and `toGraph`. @throws DockerfileError */
  toAst(options?: ParseOptions): Ast {
    return parse(this.toDockerfile(), options);
  }

  #line(line: string): BuildStage {
    return this.#with({ reads: [], write: () => line });
  }

  #with(...passages: readonly Passage[]): BuildStage {
    // What cannot be written is refused here, where the author's call is on the stack.
    for (const { write } of passages) write((origin) => (typeof origin === 'string' ? origin : 'stage'));
    return new BuildStage({ ...this.definition, passages: [...this.definition.passages, ...passages] });
  }
}

/**
 * A stage that begins with an image or with another stage.
 * @throws DockerfileError INVALID_ARGUMENT
 */
export function from(base: StageValue | string, options: FromOptions = {}): BuildStage {
  const { as, platform, args = {} } = options;
  for (const [name, value] of Object.entries(args)) argLine(name, value);
  if (platform !== undefined) instructionLine('FROM', charactersOf(platform));
  const stage = new BuildStage({
    base: typeof base === 'string' ? checkOrigin(base) : base === scratch ? 'scratch' : base.definition,
    name: undefined,
    platform,
    globalArgs: { ...args },
    passages: [],
  });
  return as === undefined ? stage : stage.as(as);
}

/** A stage that begins with nothing. */
export const scratch: BuildStage = from('scratch');

/** A trigger belongs to Dockerfiles to come, which know nothing of this one's stages. */
function triggerOf({ reads, write }: Passage): Passage {
  if (reads.some((origin) => typeof origin !== 'string')) {
    throw invalid('a trigger cannot read a stage of this Dockerfile', 'name an image');
  }
  return { reads, write: (nameOf) => `ONBUILD ${write(nameOf)}` };
}
