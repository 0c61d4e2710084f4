import { boolean, option, string } from '@oclif/core/flags';
import { UsageError } from '../errors.ts';

/** Flags by which `build` tells of a Dockerfile instead of building it. */
export const inquiryFlags = {
  print: option({
    options: ['ast', 'stages', 'graph'] as const,
    description: 'Print how the Dockerfile is understood, and build nothing',
  })(),
  format: option({
    options: ['json', 'mermaid', 'dot'] as const,
    description: 'Form of what --print prints; mermaid and dot draw the graph',
  })(),
  call: string({
    description: 'What to do: build, check, outline (what can be given) or targets (the stages)',
    helpValue: 'METHOD[,format=text|json]',
  }),
  check: boolean({ description: 'Check the Dockerfile and build nothing: --call=check', default: false }),
};

export interface InquiryValues {
  readonly print: 'ast' | 'stages' | 'graph' | undefined;
  readonly format: 'json' | 'mermaid' | 'dot' | undefined;
  readonly call: string | undefined;
  readonly check: boolean;
}

/** What is to be told. */
export type Inquiry = AstInquiry | GraphInquiry | CallInquiry;

/** To be answered from the Dockerfile alone. */
export type AstInquiry =
  | { readonly about: 'ast' | 'stages'; readonly format: 'json' }
  | { readonly about: 'targets'; readonly format: 'text' | 'json' };

/** To be answered when the configs of the bases are known. */
export interface GraphInquiry {
  readonly about: 'graph';
  readonly format: 'json' | 'mermaid' | 'dot';
}

/** To be answered so too, for one platform. */
export interface CallInquiry {
  readonly about: 'check' | 'outline';
  readonly format: 'text' | 'json';
  /** Whether findings leave the exit status alone. */
  readonly ignoreStatus: boolean;
}

/**
 * What the flags ask for; undefined where they ask for a build.
 * @throws UsageError
 */
export function inquiryOf({ print, format, call: written, check }: InquiryValues): Inquiry | undefined {
  if (check && written !== undefined) throw new UsageError('--check and --call cannot be used together');
  const call = check ? 'check' : written;
  const called = call === undefined ? undefined : calledInquiry(call);
  if (print === undefined) {
    if (format === undefined) return called;
    const hint = call === undefined ? undefined : 'the format of a call is written --call=targets,format=json';
    throw new UsageError('--format belongs to --print', { hint });
  }
  if (called !== undefined) throw new UsageError(`--print and --${check ? 'check' : 'call'} cannot be used together`);
  if (print === 'graph') return { about: 'graph', format: format ?? 'json' };
  if (format === undefined || format === 'json') return { about: print, format: 'json' };
  throw new UsageError(`--format ${format} draws graphs: it needs --print=graph, not --print=${print}`);
}

/** `targets,format=json`, as docker writes it. */
function calledInquiry(text: string): Inquiry | undefined {
  const [method = '', ...attributes] = text.split(',');
  const { format, ignoreStatus } = callAttributes(attributes);
  switch (method) {
    case 'build':
      return undefined;
    case 'targets':
      return { about: 'targets', format };
    case 'check':
    case 'lint': // its name before it was called check
      return { about: 'check', format, ignoreStatus };
    case 'outline':
      return { about: 'outline', format, ignoreStatus };
    default:
      throw new UsageError(`--call=${method} is not supported`, {
        hint: 'there are build, check, outline and targets',
      });
  }
}

function callAttributes(attributes: readonly string[]): { format: 'text' | 'json'; ignoreStatus: boolean } {
  let format: 'text' | 'json' = 'text';
  let ignoreStatus = false;
  for (const attribute of attributes) {
    if (attribute === 'format=text' || attribute === 'format=json')
      format = attribute === 'format=json' ? 'json' : 'text';
    else if (attribute === 'ignorestatus=true' || attribute === 'ignorestatus=false') {
      ignoreStatus = attribute === 'ignorestatus=true';
    } else {
      const hint = 'there are format=text|json and ignorestatus=true|false';
      throw new UsageError(`invalid attribute "${attribute}" of --call`, { hint });
    }
  }
  return { format, ignoreStatus };
}
