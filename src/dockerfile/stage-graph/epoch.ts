import type { Ast } from '../ast.ts';
import type { BuildInputs } from '../contract.ts';
import { DockerfileError, inPart } from '../error.ts';
import { expandText, type Variables } from '../expand.ts';
import type { AddSource, EpochSource } from '../graph.ts';
import { findContext } from '../image-name.ts';
import type { ArgCommand, CopyCommand, Stage } from '../instructions/command.ts';
import { at, placeIn } from '../place.ts';
import { parseGitUrl } from '../git-url.ts';
import { gitSource, isUrlSource } from './git-source.ts';
import { buildArg } from './variables.ts';

export interface EpochSetting {
  readonly ast: Ast;
  readonly inputs: BuildInputs;
  readonly stages: readonly Stage[];
  readonly globalArgs: readonly ArgCommand[];
  /** What FROM sees. */
  readonly globals: Variables;
}

/**
 * What SOURCE_DATE_EPOCH says: a number of seconds, `context`, a named context, or a stage that is nothing but one ADD
 * from outside, whose time is meant. Undefined where it is not given.
 * @throws DockerfileError INVALID_ARGUMENT
 */
export function epochOf(setting: EpochSetting): EpochSource | undefined {
  const { inputs, globals, stages, ast } = setting;
  const value = buildArg(inputs, 'SOURCE_DATE_EPOCH') ?? globals.get('SOURCE_DATE_EPOCH') ?? '';
  if (value === '') return undefined;
  if (/^[+-]?\d{1,18}$/.test(value)) return { kind: 'seconds', seconds: Number(value) };
  if (value === 'context') return { kind: 'context' };
  const context = findContext(value, inputs.contexts);
  if (context !== undefined) return { kind: 'context', name: context.key };
  const stage = stages.find(({ name }) => name === value.toLowerCase());
  if (stage !== undefined) return at(placeIn(ast, stage.range, 'build'), () => stageSource(stage, setting));
  return refuse(value, setting);
}

/** Where the value is a default, its ARG is shown. */
function refuse(value: string, { ast, inputs, globalArgs }: EpochSetting): never {
  const hint = 'it is a number of seconds since 1970, context, a named context or a stage';
  const error = invalid(`invalid SOURCE_DATE_EPOCH: ${value}`, hint);
  const given = buildArg(inputs, 'SOURCE_DATE_EPOCH') !== undefined;
  const arg = globalArgs.findLast(({ args }) => args.some(({ key }) => key === 'SOURCE_DATE_EPOCH'));
  if (given || arg === undefined) throw error;
  return at(placeIn(ast, arg.range, 'build'), () =>
    inPart({ text: 'SOURCE_DATE_EPOCH' }, () => {
      throw error;
    }),
  );
}

function stageSource({ base, commands }: Stage, { ast, inputs, globals }: EpochSetting): EpochSource {
  const variables = new Map(globals);
  variables.delete('SOURCE_DATE_EPOCH');
  const value = (text: string) => expandText(text, variables, { escape: ast.escape });
  if (value(base) !== 'scratch') throw invalid('SOURCE_DATE_EPOCH stage must use FROM scratch');
  const sources: EpochSource[] = [];
  for (const command of commands) {
    if (command.kind === 'arg') {
      for (const { key, value: written } of command.args) {
        const actual = buildArg(inputs, key) ?? (written === undefined ? undefined : value(written));
        if (actual !== undefined) variables.set(key, actual);
      }
    } else if (command.kind === 'add') sources.push(addSource(command, value));
    else {
      const problem = `unsupported ${command.name} instruction`;
      throw invalid(`SOURCE_DATE_EPOCH stage does not meet source-only requirements: ${problem}`);
    }
  }
  const [source, ...more] = sources;
  if (source === undefined || more.length > 0)
    throw invalid('SOURCE_DATE_EPOCH stage must contain exactly one remote ADD');
  return source;
}

function addSource(command: CopyCommand, value: (text: string) => string): AddSource {
  const [written, ...more] = command.sources;
  if (written === undefined || more.length > 0 || command.files.length > 0) {
    throw invalid('SOURCE_DATE_EPOCH stage must contain exactly one remote ADD source');
  }
  const source = value(written);
  const checksum = value(command.checksum);
  const git = parseGitUrl(source);
  if (git !== undefined) return gitSource(source, git, { keepGitDir: command.keepGitDir, checksum });
  if (isUrlSource(source)) return { kind: 'url', url: source, ...(checksum === '' ? {} : { checksum }) };
  throw invalid('SOURCE_DATE_EPOCH stage source must be a single HTTP(S) or Git ADD');
}

function invalid(message: string, hint?: string): DockerfileError {
  return new DockerfileError('INVALID_ARGUMENT', message, { hint });
}
