import { boolean, string } from '@oclif/core/flags';
import { UsageError } from '../../errors.ts';
import { contextFlags } from '../build-flags/context.ts';
import { reproducingFlags } from '../build-flags/reproducing.ts';
import { solvingFlags } from '../build-flags/solving.ts';
import { isolationFlag, listFlag } from '../flags.ts';

/** Flags of `bake` that `build` has not, or that mean something else there. */
export const bakeFlags = {
  file: listFlag({
    char: 'f',
    description: 'File of the definition: HCL, JSON or compose; - for standard input',
    helpValue: 'PATH',
  }),
  set: listFlag({
    description: 'Override a value: TARGET.KEY=VALUE, with patterns; += adds to lists',
    helpValue: 'OVERRIDE',
  }),
  var: listFlag({ description: 'Value of a variable, before the environment', helpValue: 'NAME=VALUE' }),
  print: boolean({ description: 'Print what would be built, as JSON, and build nothing', default: false }),
  list: string({
    description: 'List targets or variables of the definition',
    helpValue: 'targets|variables|type=…,format=json',
  }),
  call: string({ description: 'What to do: build, check, outline or targets', helpValue: 'METHOD[,format=text|json]' }),
  check: boolean({ description: 'Check the Dockerfiles and build nothing: --call=check', default: false }),
  allow: listFlag({
    description:
      'Allow what targets ask for: network.host, security.insecure, fs=PATH, fs.read=PATH, fs.write=PATH, ssh',
    helpValue: 'RIGHT',
  }),
  push: boolean({ description: 'Push the images of all targets', default: false }),
  load: boolean({
    description: 'Keep the images of all targets in the store, where they say something else',
    default: false,
  }),
  'no-cache': boolean({ description: 'Do every step of all targets again' }),
  pull: boolean({ description: 'Ask registries for newer base images' }),
  sbom: string({ description: 'The same as --set=*.attest=type=sbom', helpValue: 'OPTIONS' }),
  provenance: string({ description: 'The same as --set=*.attest=type=provenance', helpValue: 'OPTIONS' }),
  'metadata-file': string({ description: 'Write what was made to a JSON file, by target', helpValue: 'FILE' }),
  'max-parallelism': solvingFlags['max-parallelism'],
  ...contextFlags,
  ...reproducingFlags,
  isolation: isolationFlag,
};

export interface OverrideValues {
  readonly set?: readonly string[] | undefined;
  readonly push: boolean;
  readonly load: boolean;
  readonly 'no-cache'?: boolean | undefined;
  readonly pull?: boolean | undefined;
  readonly call?: string | undefined;
  readonly check: boolean;
  readonly sbom?: string | undefined;
  readonly provenance?: string | undefined;
}

/** All that flags say of every target, in the form of `--set`. @throws UsageError */
export function overridesOf(flags: OverrideValues): string[] {
  if (flags.check && flags.call !== undefined) throw new UsageError('--check and --call cannot be used together');
  const [method] = (flags.check ? 'check' : (flags.call ?? '')).split(',');
  return [
    ...(flags.set ?? []),
    ...(flags.push ? ['*.push=true'] : []),
    ...(flags.load ? ['*.load=true'] : []),
    ...(method === undefined || method === '' || method === 'build' ? [] : [`*.call=${method}`]),
    ...(flags['no-cache'] === undefined ? [] : [`*.no-cache=${flags['no-cache']}`]),
    ...(flags.pull === undefined ? [] : [`*.pull=${flags.pull}`]),
    ...attestation('sbom', flags.sbom),
    ...attestation('provenance', flags.provenance),
  ];
}

function attestation(type: string, text: string | undefined): string[] {
  if (text === undefined || text === '') return [];
  const isSwitch = /^(?:1|t|true|0|f|false)$/i.test(text);
  const value = isSwitch ? `disabled=${/^(?:1|t|true)$/i.test(text) ? 'false' : 'true'}` : text;
  return [`*.attest=type=${type},${value}`];
}

/** `--var NAME=VALUE`. @throws UsageError */
export function variablesOf(texts: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    texts
      .filter((text) => text !== '')
      .map((text) => {
        const equals = text.indexOf('=');
        if (equals < 1) throw new UsageError(`invalid variable ${JSON.stringify(text)}, expected key=value`);
        return [text.slice(0, equals), text.slice(equals + 1)];
      }),
  );
}

export interface Listing {
  readonly type: 'targets' | 'variables';
  readonly format: 'table' | 'json';
}

/** `--list=targets`, `--list=type=variables,format=json`. @throws UsageError */
export function listingOf(text: string): Listing {
  const fields = text.includes('=') ? text.split(',') : [`type=${text}`];
  const found: Record<string, string> = { format: 'table' };
  for (const field of fields) {
    const [key = '', value = ''] = field.split('=');
    if (key.trim() !== 'type' && key.trim() !== 'format') throw new UsageError(`unexpected key '${key}' in '${field}'`);
    found[key.trim()] = value;
  }
  const { type, format } = found;
  if (type !== 'targets' && type !== 'variables')
    throw new UsageError(`invalid list type ${JSON.stringify(type ?? '')}`, {
      hint: 'there are targets and variables',
    });
  if (format !== 'table' && format !== 'json')
    throw new UsageError(`invalid list format ${JSON.stringify(format)}`, { hint: 'there are table and json' });
  return { type, format };
}

/** Files that the environment names, where the command line names none. */
export function filesOf(given: readonly string[] = [], environment: NodeJS.ProcessEnv): readonly string[] {
  if (given.length > 0) return given;
  const text = environment['SLIPWAY_BAKE_FILE'] ?? environment['BUILDX_BAKE_FILE'] ?? '';
  const separator = environment['BUILDX_BAKE_PATH_SEPARATOR'] || ':';
  return text
    .split(separator)
    .map((path) => path.trim())
    .filter((path) => path !== '');
}
