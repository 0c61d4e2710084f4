import { Readable } from 'node:stream';
import type { BakeJob, BakeSelection, BakeTarget, BuildRequest } from '../../build/index.ts';
import { UsageError } from '../../errors.ts';
import { reproducingFlags } from '../build-flags/reproducing.ts';
import { requestFlags, requestOf, type RequestValues, requestValues } from '../build-flags/request.ts';
import { type Inquiry, inquiryOf } from '../inquiry.ts';
import { type TargetLine, targetLine } from './target-line.ts';

/** What is to be done for one target. */
export interface TargetWork {
  readonly job: BakeJob;
  readonly target: BakeTarget;
  /** What is asked of its Dockerfile instead of building it. */
  readonly inquiry: Inquiry | undefined;
}

/** Flags of `build` that the command line gives for all targets. */
type Common = Pick<RequestValues, 'isolation' | 'max-parallelism' | 'context-modes' | keyof typeof reproducingFlags>;

export interface WorkOptions extends Common {
  /** `--call`, with its attributes; what a target says itself has none. */
  readonly call: string | undefined;
}

/**
 * The work that chosen targets are.
 * @throws UsageError, and what the flags of `build` throw, with the name of the target
 */
export async function worksOf(
  { targets, linked }: BakeSelection,
  options: WorkOptions,
): Promise<{ works: readonly TargetWork[]; warnings: readonly string[] }> {
  const works: TargetWork[] = [];
  const warnings: string[] = [];
  for (const target of targets.values()) {
    const line = targetLine(target, (flag) => Object.hasOwn(requestFlags, flag));
    warnings.push(...line.warnings);
    const request = await named(target.name, () => requestFor(line, options));
    const inquiry = linked.has(target.name) ? undefined : inquiryFor(target, options.call);
    works.push({ job: { name: target.name, request, needs: line.needs }, target, inquiry });
  }
  refuseMixedStreams(works);
  return { works, warnings };
}

async function requestFor(line: TargetLine, options: WorkOptions): Promise<BuildRequest> {
  const values = await requestValues(line.flags);
  const common = Object.fromEntries(commonNames.map((name) => [name, options[name]])) as unknown as Common;
  const stdin =
    line.inline === undefined ? undefined : Readable.from([Buffer.from(line.inline)], { objectMode: false });
  return requestOf({ ...values, ...common }, line.context, stdin);
}

const commonNames: readonly (keyof Common)[] = [
  'isolation',
  'max-parallelism',
  'context-modes',
  ...(Object.keys(reproducingFlags) as (keyof typeof reproducingFlags)[]),
];

function inquiryFor({ call }: BakeTarget, written: string | undefined): Inquiry | undefined {
  if (call === undefined) return undefined;
  const method = written?.startsWith(call) === true ? written : call;
  return inquiryOf({ print: undefined, format: undefined, call: method, check: false });
}

/** Errors of flags are those of the target that they were made of. */
async function named<T>(target: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Error ? Object.assign(error, { message: `target ${target}: ${error.message}` }) : error;
  }
}

/** Two archives in one stream could not be told apart. */
function refuseMixedStreams(works: readonly TargetWork[]): void {
  const streaming = works.filter(({ job }) =>
    job.request.outputs.some((output) => 'destination' in output && output.destination === '-'),
  );
  if (streaming.length < 2) return;
  const names = streaming.map(({ job }) => job.name).join(', ');
  throw new UsageError(`several targets write to standard output: ${names}`, {
    hint: 'give all but one a file: dest=FILE',
  });
}
