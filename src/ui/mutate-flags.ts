import type { Readable } from 'node:stream';
import { boolean, integer, option, string } from '@oclif/core/flags';
import {
  annotate,
  annotationChanges,
  appendLayers,
  changeLayers,
  changeTimes,
  type ImageEdit,
  inOrder,
  layerFromTar,
  recompress,
  removeLayers,
  type RootEdit,
  setConfig,
  toFormat,
  type Workbench,
} from '../build/index.ts';
import { UsageError } from '../errors.ts';
import { type CallOptions, parsePlatform } from '../oci/index.ts';
import { commandWords, epochOf, timeChange } from './edit-flags.ts';
import { listFlag } from './flags.ts';
import { namedValues } from './named-values.ts';

const named = (description: string, letter?: 'a' | 'e' | 'l') =>
  listFlag({ ...(letter && { char: letter }), description, helpValue: 'KEY=VALUE' });
const list = (description: string, helpValue: string) => listFlag({ delimiter: ',', description, helpValue });

/** What `mutate` changes. */
export const mutateFlags = {
  label: named('Set a label', 'l'),
  'label-rm': list('Remove labels', 'KEY'),
  annotation: listFlag({
    char: 'a',
    description: 'Set an annotation of the manifest, or where TYPE says',
    helpValue: '[TYPE[PLATFORM],…:]KEY=VALUE',
  }),
  'annotation-rm': listFlag({ description: 'Remove an annotation', helpValue: '[TYPE[PLATFORM],…:]KEY' }),
  env: named('Set an environment variable', 'e'),
  'env-rm': list('Remove environment variables', 'NAME'),
  entrypoint: listFlag({
    description: 'Set the entrypoint; the command goes, unless it is set too',
    helpValue: 'WORD,…|JSON',
  }),
  cmd: listFlag({ description: 'Set the command', helpValue: 'WORD,…|JSON' }),
  user: string({ char: 'u', description: 'Set the user', helpValue: 'USER' }),
  workdir: string({ char: 'w', description: 'Set the working directory', helpValue: 'PATH' }),
  'exposed-ports': list('Add ports that it listens on', 'PORT[/PROTOCOL]'),
  'exposed-ports-rm': list('Remove such ports', 'PORT[/PROTOCOL]'),
  volume: list('Add volumes', 'PATH'),
  'volume-rm': list('Remove volumes', 'PATH'),
  'set-platform': string({ description: 'Set what the image is for', helpValue: 'os/arch[/variant]' }),
  append: list('Put layers on top: tars, compressed or not; - for standard input', 'FILE'),
  'layer-rm-index': list('Remove layers by number, from 0, the lowest; -1 is the uppermost', 'NUMBER'),
  'layer-rm-created-by': listFlag({ description: 'Remove layers by what made them', helpValue: 'REGEX' }),
  'layer-strip-file': listFlag({
    description: 'Leave a path, and all below it, out of every layer',
    helpValue: 'PATH',
  }),
  compression: option({
    options: ['gzip', 'zstd', 'none'] as const,
    description: 'Compress all layers this way',
  })(),
  time: string({
    description: 'Set all times, of config, history and files',
    helpValue: 'TIME|set=TIME[,after=TIME][,base-layers=N]',
  }),
  'config-time': string({
    description: 'Set the times of config and history',
    helpValue: 'TIME|set=TIME[,after=TIME]',
  }),
  'layer-time': string({
    description: 'Set the times of files',
    helpValue: 'TIME|set=TIME[,after=TIME][,base-layers=N]',
  }),
  reproducible: boolean({
    description: 'Write layers in our canonical form; times later than SOURCE_DATE_EPOCH become it',
    default: false,
  }),
  'base-layers': integer({ description: 'Layers of a base, which --reproducible and --layer-strip-file leave alone' }),
  'to-oci': boolean({ description: "Use OCI's media types", default: false }),
  'to-docker': boolean({ description: "Use docker's media types", default: false }),
};

/** As the flags are parsed. */
export interface MutateValues {
  readonly label?: readonly string[] | undefined;
  readonly 'label-rm'?: readonly string[] | undefined;
  readonly annotation?: readonly string[] | undefined;
  readonly 'annotation-rm'?: readonly string[] | undefined;
  readonly env?: readonly string[] | undefined;
  readonly 'env-rm'?: readonly string[] | undefined;
  readonly entrypoint?: readonly string[] | undefined;
  readonly cmd?: readonly string[] | undefined;
  readonly user?: string | undefined;
  readonly workdir?: string | undefined;
  readonly 'exposed-ports'?: readonly string[] | undefined;
  readonly 'exposed-ports-rm'?: readonly string[] | undefined;
  readonly volume?: readonly string[] | undefined;
  readonly 'volume-rm'?: readonly string[] | undefined;
  readonly 'set-platform'?: string | undefined;
  readonly append?: readonly string[] | undefined;
  readonly 'layer-rm-index'?: readonly string[] | undefined;
  readonly 'layer-rm-created-by'?: readonly string[] | undefined;
  readonly 'layer-strip-file'?: readonly string[] | undefined;
  readonly compression?: 'gzip' | 'zstd' | 'none' | undefined;
  readonly time?: string | undefined;
  readonly 'config-time'?: string | undefined;
  readonly 'layer-time'?: string | undefined;
  readonly reproducible: boolean;
  readonly 'base-layers'?: number | undefined;
  readonly 'to-oci': boolean;
  readonly 'to-docker': boolean;
}

export interface MutationInput extends CallOptions {
  readonly stdin: Readable;
}

/**
 * What the flags ask for, in the order in which it is done: layers out, layers rewritten, layers on top, config, form, annotations.
 * @throws UsageError, BuildError OUTPUT_INVALID
 */
export function mutation(flags: MutateValues): (bench: Workbench, input: MutationInput) => Promise<RootEdit> {
  if (flags['to-oci'] && flags['to-docker']) throw new UsageError('--to-oci and --to-docker exclude each other');
  const epoch = epochOf();
  const before = [...removing(flags), ...rewriting(flags, epoch)];
  const after = [setConfig(configChanges(flags, epoch)), ...timing(flags, epoch)];
  const family = flags['to-oci'] ? toFormat('oci') : flags['to-docker'] ? toFormat('docker') : undefined;
  const { annotation = [], 'annotation-rm': removed = [] } = flags;
  const annotations = annotate(annotationChanges(annotation, removed, 'manifest'));
  return async (bench, { stdin, signal }) => {
    const layers = [];
    for (const file of flags.append ?? [])
      layers.push(await layerFromTar(bench, file === '-' ? stdin : file, { signal }));
    const appended = layers.length === 0 ? [] : [appendLayers(layers, { epoch, createdBy: 'slipway mutate' })];
    return {
      image: inOrder([...before, ...appended, ...after, ...(family === undefined ? [] : [family.image])]),
      manifest: annotations.manifest,
      index: (index) => annotations.index?.(family?.index?.(index) ?? index) ?? index,
    };
  };
}

function configChanges(flags: MutateValues, epoch: number | undefined): Parameters<typeof setConfig>[0] {
  const platform = flags['set-platform'];
  return {
    labels: flags.label && namedValues('label', flags.label),
    labelsRemoved: flags['label-rm'],
    env: flags.env && namedValues('env', flags.env),
    envRemoved: flags['env-rm'],
    entrypoint: commandWords('entrypoint', flags.entrypoint),
    cmd: commandWords('cmd', flags.cmd),
    user: flags.user,
    workdir: flags.workdir,
    exposedPorts: flags['exposed-ports']?.map(port),
    exposedPortsRemoved: flags['exposed-ports-rm']?.map(port),
    volumes: flags.volume,
    volumesRemoved: flags['volume-rm'],
    platform: platform === undefined ? undefined : parsePlatform(platform),
    created: epoch,
  };
}

function port(text: string): string {
  if (/^\d{1,5}(?:-\d{1,5})?(?:\/(?:tcp|udp|sctp))?$/.test(text)) return text;
  throw new UsageError(`invalid port: ${JSON.stringify(text)}`);
}

function removing(flags: MutateValues): readonly ImageEdit[] {
  const { 'layer-rm-index': numbers, 'layer-rm-created-by': patterns } = flags;
  if (numbers === undefined && patterns === undefined) return [];
  const indexes = numbers?.map((text) => {
    if (/^-?\d{1,4}$/.test(text)) return Number(text);
    throw new UsageError(`invalid argument "${text}" for "--layer-rm-index" flag: no number`);
  });
  return [removeLayers({ indexes, createdBy: patterns?.map(expression) })];
}

function expression(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new UsageError(`invalid argument "${text}" for "--layer-rm-created-by" flag: no regular expression`, {
      cause,
    });
  }
}

function rewriting(flags: MutateValues, epoch: number | undefined): readonly ImageEdit[] {
  const { reproducible, compression } = flags;
  const strip = flags['layer-strip-file'];
  const said = timeFlag('layer-time', flags['layer-time']) ?? timeFlag('time', flags.time);
  const times = said ?? (reproducible && epoch !== undefined ? { set: epoch, after: epoch, baseLayers: 0 } : undefined);
  const baseLayers = flags['base-layers'] ?? times?.baseLayers;
  const changed = strip !== undefined || times !== undefined || reproducible;
  return [
    ...(changed ? [changeLayers({ strip, times, baseLayers })] : []),
    ...(compression === undefined ? [] : [recompress(compression)]),
  ];
}

function timing(flags: MutateValues, epoch: number | undefined): readonly ImageEdit[] {
  const said = timeFlag('config-time', flags['config-time']) ?? timeFlag('time', flags.time);
  if (said !== undefined) return [changeTimes(said)];
  return flags.reproducible && epoch !== undefined ? [changeTimes({ set: epoch, after: epoch })] : [];
}

function timeFlag(flag: string, text: string | undefined) {
  return text === undefined ? undefined : timeChange(flag, text);
}
