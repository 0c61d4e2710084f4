import { type BuildRecord, type RecordedStep, buildStateOf } from '../../build/index.ts';
import { escapeControls } from '../escape.ts';
import { formatSize } from '../../oci/index.ts';
import { formatTable } from '../table.ts';
import { formatElapsed } from '../time.ts';
import { buildName } from './build-rows.ts';

/** One build for people: what was asked for, what came of it, its steps. */
export function buildText(record: BuildRecord, now: number = Date.now()): string {
  const { request, error } = record;
  const facts: (readonly [name: string, value: string | undefined])[] = [
    ['Name', buildName(record)],
    ['Build ID', record.id],
    ['Status', buildStateOf(record)],
    ['Started', new Date(record.started).toISOString()],
    ['Duration', record.ended === undefined ? undefined : formatElapsed(record.ended - record.started)],
    ['Context', request.context],
    ['Dockerfile', request.dockerfile],
    ['Target', request.target],
    ['Platforms', joined(request.platforms)],
    ['Build args', pairs(request.buildArgs)],
    ['Build contexts', pairs(request.contexts)],
    ['Outputs', joined(request.outputs)],
    ['Image ID', record.imageId],
    ['Digest', record.digest],
    ['Names', joined(record.names ?? [])],
    ['Error', error?.message],
  ];
  const shown = facts.flatMap(([name, value]) => (value === undefined ? [] : [[`${name}:`, escapeControls(value)]]));
  const steps = record.steps.map((step) => stepCells(step, record, now));
  const table = formatTable([['STEP', 'OUTCOME', 'TOOK', 'SIZE', 'SAVED'], ...steps]);
  return `${formatTable(shown)}${steps.length === 0 ? '' : `\n${table}`}`;
}

function stepCells(step: RecordedStep, record: BuildRecord, now: number): string[] {
  const end = step.ended ?? record.ended ?? now;
  return [
    escapeControls(step.title),
    step.outcome === 'error' ? 'failed' : step.outcome,
    formatElapsed(end - step.started),
    step.size === undefined ? '' : formatSize(step.size),
    step.saved === undefined ? '' : formatElapsed(step.saved),
  ];
}

function joined(values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : values.join(', ');
}

function pairs(values: Readonly<Record<string, string>>): string | undefined {
  return joined(Object.entries(values).map(([name, value]) => `${name}=${value}`));
}
