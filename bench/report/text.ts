import { type Figure, type Measurement, ratio, spread } from '../measure/index.ts';
import { verdicts } from './bars.ts';
import type { MachineFacts } from './facts.ts';
import type { JobResult } from './results.ts';

/** What the figures were taken on, in one paragraph. */
export function machineText({ processor, cores, memory, kernel, node, slipway, peers }: MachineFacts): string {
  const others = Object.entries(peers).map(([name, version]) => `${name} ${version}`);
  return `${processor}, ${cores} cores, ${(memory / 2 ** 30).toFixed(0)} GiB, Linux ${kernel}, Node ${node}, Slipway ${slipway}; ${others.join(', ')}.`;
}

/** One job in one place: a Markdown table, and what was asked. */
export function resultText(result: JobResult): string {
  const subject = result.measurements.find(({ name }) => name === result.subject);
  const hasOutput = result.measurements.some(({ output }) => output !== undefined);
  const head = [
    '',
    'median ms',
    'min–max',
    'CPU ms',
    'peak MB',
    'all MB',
    'ours ÷ it',
    'CPU ÷ its',
    ...(hasOutput ? ['MB made'] : []),
  ];
  const rows = result.measurements.map((row) => [
    row.role === 'limit' ? `limit: ${row.name}` : row.role === 'ours' ? `**${row.name}**` : row.name,
    milliseconds(spread(row, 'wall').median),
    `${milliseconds(spread(row, 'wall').least)}–${milliseconds(spread(row, 'wall').most)}`,
    milliseconds(spread(row, 'cpu').median),
    megabytes(spread(row, 'memory').most),
    megabytes(spread(row, 'treeMemory').most),
    times(subject, row, 'wall'),
    times(subject, row, 'cpu'),
    ...(hasOutput ? [megabytes(row.output ?? Number.NaN)] : []),
  ]);
  const rule = head.map((_, at) => (at === 0 ? '---' : '--:'));
  const table = [head, rule, ...rows].map((cells) => `| ${cells.map(inCell).join(' | ')} |`);
  const asked = verdicts(result).map(({ asked, answer, met }) => {
    return `- ${asked}: **${answer}**${met === undefined ? '' : met ? ', met' : ', missed'}`;
  });
  return [...table, '', ...(asked.length === 0 ? [] : [...asked, ''])].join('\n');
}

/** Above the table: where, how often, at what load. */
export function resultHead({ place, measurements, load, taken }: JobResult): string {
  const rounds = Math.max(0, ...measurements.map(({ samples }) => samples.length));
  return `${place}, n ${rounds}, load ${load.map((each) => each.toFixed(1)).join(' to ')}, ${taken.slice(0, 10)}`;
}

/** Pipelines are called by their names. */
export function inCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function times(subject: Measurement | undefined, row: Measurement, figure: Figure): string {
  if (subject === undefined || row.role === 'ours') return '';
  const value = ratio(subject, row, figure);
  return Number.isFinite(value) ? value.toFixed(2) : '';
}

function milliseconds(value: number): string {
  if (Number.isNaN(value)) return '–';
  return value.toFixed(value < 100 ? 1 : 0);
}

function megabytes(value: number): string {
  return Number.isNaN(value) ? '–' : (value / 1e6).toFixed(0);
}
