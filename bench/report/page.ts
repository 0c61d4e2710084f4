import { verdicts } from './bars.ts';
import type { JobResult } from './results.ts';
import { inCell, machineText, resultHead, resultText } from './text.ts';

/** Jobs by name, each with its results in the order of the places. */
export type ResultsByJob = ReadonlyMap<string, readonly JobResult[]>;

const block = /(<!-- bench:([\w-]+) -->\n)[\s\S]*?(<!-- \/bench -->)/g;

/**
 * Fills the blocks of a page, `<!-- bench:JOB --> … <!-- /bench -->`, from results; what stands between blocks stays. The block
 * `summary` takes all bars, the block `machine` what the figures were taken on.
 */
export function fillPage(page: string, results: ResultsByJob): string {
  return page.replace(
    block,
    (_, start: string, name: string, end: string) => `${start}${content(name, results)}${end}`,
  );
}

/** The jobs that a page has blocks for. */
export function jobsOfPage(page: string): readonly string[] {
  return [...page.matchAll(block)].map(([, , name = '']) => name);
}

function content(name: string, results: ResultsByJob): string {
  const all = [...results.values()].flat();
  if (name === 'summary') return summary(all);
  if (name === 'machine') return machines(all);
  const own = results.get(name) ?? [];
  if (own.length === 0) return '\nNot measured yet.\n\n';
  const tables = own.map((result) => `\n${capitalized(resultHead(result))}:\n\n${resultText(result)}`);
  return `\n![${own[0]?.title ?? name}](performance/${name}.svg)\n${tables.join('')}\n`;
}

function summary(all: readonly JobResult[]): string {
  const rows = all.flatMap((result) =>
    verdicts(result).map(({ asked, answer, met }) => {
      const word = met === undefined ? '' : met ? 'met' : '**missed**';
      return `| ${[result.title, result.place, asked, answer, word].map(inCell).join(' | ')} |`;
    }),
  );
  return `\n| job | place | bar | found | |\n| --- | --- | --- | --: | --- |\n${rows.join('\n')}\n\n`;
}

/** Results of one day on one machine share a line. */
function machines(all: readonly JobResult[]): string {
  const lines = new Map<string, Set<string>>();
  for (const { machine, job } of all) {
    const text = machineText(machine);
    lines.set(text, (lines.get(text) ?? new Set()).add(job));
  }
  const several = lines.size > 1;
  return `\n${[...lines].map(([text, jobs]) => (several ? `- ${[...jobs].join(', ')}: ${text}` : text)).join('\n')}\n\n`;
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
