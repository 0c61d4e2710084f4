import { type Measurement, type Role, spread } from '../measure/index.ts';
import type { JobResult } from './results.ts';

const width = 760;
const nameWidth = 290;
const figureWidth = 110;
const barWidth = width - nameWidth - figureWidth;
const rowHeight = 22;
const panelHead = 34;
const gap = 14;

/** Colours that are told apart on white and on black, and by people who see red and green alike. */
const style = `
text{font:13px system-ui,sans-serif;fill:#24292f}
.title{font-weight:600}
.ours{fill:#0a6cce}.peer{fill:#8c959f}.limit{fill:#d29922}
.whisker{stroke:#24292f;stroke-width:1.2}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.ours{fill:#4ea1f3}.peer{fill:#7d8590}.limit{fill:#d29922}.whisker{stroke:#e6edf3}}`;

/** One panel for each result: a bar of the median for each contender, a line from the least to the most. */
export function chart(results: readonly JobResult[]): string {
  let top = 0;
  const panels = results.map((result) => {
    const place = top;
    top += panelHeight(result) + gap;
    return panel(result, place);
  });
  const title = escaped(results[0]?.title ?? 'no results');
  const height = Math.max(0, top - gap) + 8;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${title}</title>`,
    `<style>${style}\n</style>`,
    ...panels,
    '</svg>',
    '',
  ].join('\n');
}

function panelHeight({ measurements }: JobResult): number {
  return panelHead + measurements.length * rowHeight;
}

function panel({ title, place, measurements }: JobResult, top: number): string {
  const longest = Math.max(...measurements.map((row) => spread(row, 'wall').most).filter(Number.isFinite), 0);
  const rows = measurements.map((row, at) => bar(row, { top: top + panelHead + at * rowHeight, longest }));
  return [`<text class="title" x="0" y="${top + 20}">${escaped(`${title}, ${place}`)}</text>`, ...rows].join('\n');
}

function bar(row: Measurement, { top, longest }: { readonly top: number; readonly longest: number }): string {
  const { least, median, most } = spread(row, 'wall');
  const at = (value: number) => (longest > 0 && Number.isFinite(value) ? (value / longest) * barWidth : 0);
  const middle = top + rowHeight / 2;
  const x = (value: number) => (nameWidth + at(value)).toFixed(1);
  return [
    `<text x="${nameWidth - 8}" y="${middle + 4.5}" text-anchor="end">${escaped(shortened(row.name))}</text>`,
    `<rect class="${cssClass[row.role]}" x="${nameWidth}" y="${top + 4}" width="${at(median).toFixed(1)}" height="${rowHeight - 8}" rx="2"/>`,
    `<path class="whisker" d="M${x(least)} ${middle}H${x(most)}M${x(least)} ${middle - 4}v8M${x(most)} ${middle - 4}v8"/>`,
    `<text x="${Math.min(nameWidth + at(most) + 8, width - figureWidth + 8).toFixed(1)}" y="${middle + 4.5}">${inSeconds(median)}</text>`,
  ].join('\n');
}

const cssClass: Readonly<Record<Role, string>> = { ours: 'ours', peer: 'peer', limit: 'limit' };

function inSeconds(milliseconds: number): string {
  if (Number.isNaN(milliseconds)) return 'not measured';
  return milliseconds < 1000
    ? `${milliseconds.toFixed(milliseconds < 100 ? 1 : 0)} ms`
    : `${(milliseconds / 1000).toFixed(2)} s`;
}

function shortened(name: string): string {
  return name.length <= 42 ? name : `${name.slice(0, 41)}…`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
