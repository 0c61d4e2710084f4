import { option, string } from '@oclif/core/flags';
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
    description: 'What to do: build, or targets[,format=json] to list the stages',
    helpValue: 'METHOD[,format=text|json]',
  }),
};

export interface InquiryValues {
  readonly print: 'ast' | 'stages' | 'graph' | undefined;
  readonly format: 'json' | 'mermaid' | 'dot' | undefined;
  readonly call: string | undefined;
}

/** What is to be told. */
export type Inquiry = AstInquiry | GraphInquiry;

/** To be answered from the Dockerfile alone. */
export type AstInquiry =
  | { readonly about: 'ast' | 'stages'; readonly format: 'json' }
  | { readonly about: 'targets'; readonly format: 'text' | 'json' };

/** To be answered when the configs of the bases are known. */
export interface GraphInquiry {
  readonly about: 'graph';
  readonly format: 'json' | 'mermaid' | 'dot';
}

/**
 * What the flags ask for; undefined where they ask for a build.
 * @throws UsageError
 */
export function inquiryOf({ print, format, call }: InquiryValues): Inquiry | undefined {
  const called = call === undefined ? undefined : calledInquiry(call);
  if (print === undefined) {
    if (format === undefined) return called;
    const hint = call === undefined ? undefined : 'the format of a call is written --call=targets,format=json';
    throw new UsageError('--format belongs to --print', { hint });
  }
  if (called !== undefined) throw new UsageError('--print and --call cannot be used together');
  if (print === 'graph') return { about: 'graph', format: format ?? 'json' };
  if (format === undefined || format === 'json') return { about: print, format: 'json' };
  throw new UsageError(`--format ${format} draws graphs: it needs --print=graph, not --print=${print}`);
}

/** `targets,format=json`, as docker writes it. */
function calledInquiry(text: string): Inquiry | undefined {
  const [method, ...attributes] = text.split(',');
  const format = callFormat(attributes);
  if (method === 'build') return undefined;
  if (method === 'targets') return { about: 'targets', format };
  throw new UsageError(`--call=${method} is not supported`, { hint: 'there are build and targets' });
}

function callFormat(attributes: readonly string[]): 'text' | 'json' {
  let format: 'text' | 'json' = 'text';
  for (const attribute of attributes) {
    if (attribute !== 'format=text' && attribute !== 'format=json') {
      throw new UsageError(`invalid attribute "${attribute}" of --call`, { hint: 'it is format=text or format=json' });
    }
    format = attribute === 'format=json' ? 'json' : 'text';
  }
  return format;
}
