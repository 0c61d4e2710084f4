import { messageOf } from '../../errors.ts';
import { escapeControls, stripControls } from '../escape.ts';
import { formatSize } from '../../oci/index.ts';
import { formatElapsed } from '../time.ts';
import type { StepOutcome, Steps } from './steps.ts';
import { type StepSummary, summaryOf } from './summary.ts';
import { summaryHead } from './summary-lines.ts';

export interface JobSummaryOptions {
  readonly now: number;
  readonly dockerfile: string | undefined;
  readonly error: unknown;
  /** Takes secrets out. */
  readonly mask: (text: string) => string;
}

/** GitHub takes 1 MiB for all of a job; a build is to be read at a glance. */
const maxRows = 100;
const maxTitle = 200;

const marks: Readonly<Record<StepOutcome, string>> = {
  running: '',
  done: '✅ done',
  cached: '⚡ cached',
  skipped: '⏭️ skipped',
  cancelled: '🚫 cancelled',
  error: '❌ failed',
};

/** The build as Markdown for the page of a workflow run. */
export function jobSummary(steps: Steps, { now, dockerfile, error, mask }: JobSummaryOptions): string {
  const summary = summaryOf(steps, now);
  const name = dockerfile === undefined ? 'slipway build' : `slipway build: ${inMarkdown(dockerfile)}`;
  const rows = summary.steps.slice(0, maxRows).map(row);
  const more = summary.steps.length - rows.length;
  return [
    '',
    `### ${error === undefined ? '' : '❌ '}${name}`,
    '',
    inMarkdown(summaryHead(summary)),
    ...(error === undefined ? [] : failureBlock(steps, error, mask)),
    '',
    '| step | | time | layer | saved |',
    '|---|---|--:|--:|--:|',
    ...rows,
    ...(more > 0 ? ['', `and ${more} more`] : []),
    '',
  ].join('\n');
}

function row({ title, outcome, duration, size, saved }: StepSummary): string {
  const cells = [
    inMarkdown(title.length > maxTitle ? `${title.slice(0, maxTitle)}…` : title),
    marks[outcome],
    formatElapsed(duration),
    size === undefined ? '' : formatSize(size),
    saved === undefined ? '' : formatElapsed(saved),
  ];
  return `| ${cells.join(' | ')} |`;
}

function failureBlock(steps: Steps, error: unknown, mask: JobSummaryOptions['mask']): string[] {
  const [failed] = steps.failed;
  const message = inMarkdown(clipped(mask(failed?.error ?? messageOf(error))));
  const tail = (failed?.tail ?? []).map((line) => inHtml(clipped(mask(stripControls(line)))));
  return ['', `**${message}**`, ...(tail.length === 0 ? [] : ['', `<pre>${tail.join('\n')}</pre>`])];
}

function clipped(text: string): string {
  return text.length > 1000 ? `${text.slice(0, 1000)}…` : text;
}

/** One line of text in which nothing is markup: every character that Markdown or HTML could mean something by is an entity. */
function inMarkdown(text: string): string {
  return escapeControls(text).replace(/[^\p{L}\p{N} .,…]/gu, (character) => `&#${character.codePointAt(0)};`);
}

function inHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
