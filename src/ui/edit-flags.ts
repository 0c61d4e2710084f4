import { boolean, string } from '@oclif/core/flags';
import type { EditDestination } from '../build/index.ts';
import type { TimeChange } from '../layer/index.ts';
import { UsageError } from '../errors.ts';
import { jsonFlag, listFlag, quietFlag } from './flags.ts';
import { registryFlags } from './registry-flags/registry.ts';

/** Where commands that edit images write the result. */
const destinationFlags = {
  tag: string({
    char: 't',
    description: 'Where the result goes; to where the image is, without a name, unless given',
    helpValue: 'NAME[:TAG]|PLACE',
  }),
  output: string({ char: 'o', description: 'Write a file that docker can load', helpValue: 'FILE' }),
  repo: string({ description: 'Repository that the result goes to, without a tag', helpValue: 'NAME' }),
  replace: boolean({ description: "The image's own name stands for the result", default: false }),
};

export interface DestinationValues {
  readonly tag?: string | undefined;
  readonly output?: string | undefined;
  readonly repo?: string | undefined;
  readonly replace?: boolean | undefined;
}

export function destinationOf({ tag, output, repo, replace }: DestinationValues): EditDestination {
  return { tag, output, repository: repo, replace };
}

export const editPlatformFlag = listFlag({
  delimiter: ',',
  description: "Edit only these platforms' images of an index; the others stay in it",
  helpValue: 'os/arch[/variant]',
});

/** What every command that edits an image takes. */
export const editFlags = {
  ...destinationFlags,
  platform: editPlatformFlag,
  quiet: quietFlag,
  json: jsonFlag,
  ...registryFlags,
} as const;

/**
 * SOURCE_DATE_EPOCH of the environment, seconds since 1970.
 * @throws UsageError
 */
export function epochOf(environment: NodeJS.ProcessEnv = process.env): number | undefined {
  const text = environment['SOURCE_DATE_EPOCH'];
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,11}$/.test(text)) return Number(text);
  throw new UsageError(`SOURCE_DATE_EPOCH is no number of seconds: ${JSON.stringify(text)}`);
}

/**
 * Words of a command: a JSON list, or words with commas between them, as crane has it. `[]` is no command.
 * @throws UsageError
 */
export function commandWords(flag: string, values: readonly string[] | undefined): readonly string[] | undefined {
  return values?.flatMap((value) => {
    if (!value.startsWith('[')) return value === '' ? [] : value.split(',');
    let words: unknown;
    try {
      words = JSON.parse(value);
    } catch {
      words = undefined;
    }
    if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words;
    throw new UsageError(`invalid argument "${value}" for "--${flag}" flag: no list of words in JSON`);
  });
}

/** What a time flag says. */
export interface TimeFlag extends TimeChange {
  /** Layers of a base, whose times stay. */
  readonly baseLayers: number;
}

/**
 * Reads `TIME`, or `set=TIME[,after=TIME][,base-layers=N]`; a time is in RFC 3339 or in seconds since 1970.
 * @throws UsageError
 */
export function timeChange(flag: string, text: string): TimeFlag {
  const parts = new Map<string, string>();
  for (const part of text.split(',')) {
    const [, name = 'set', value = ''] = /^(?:(set|after|base-layers)=)?(.*)$/s.exec(part) ?? [];
    parts.set(name, value);
  }
  const set = seconds(flag, parts.get('set'));
  if (set === undefined) throw new UsageError(`invalid argument "${text}" for "--${flag}" flag: set=TIME is missing`);
  const layers = parts.get('base-layers') ?? '0';
  if (!/^\d{1,4}$/.test(layers)) throw new UsageError(`--${flag}: base-layers=${layers} is no number of layers`);
  return { set, after: seconds(flag, parts.get('after')), baseLayers: Number(layers) };
}

function seconds(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,11}$/.test(text)) return Number(text);
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time) || time < 0) throw new UsageError(`--${flag}: ${JSON.stringify(text)} is no time`);
  return Math.floor(time / 1000);
}
