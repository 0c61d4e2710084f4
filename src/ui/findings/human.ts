import { excerpt, maxFindings } from '../../dockerfile/index.ts';
import { escapeControls, escapeControlsInLines } from '../escape.ts';
import type { CheckedFile } from './checked-file.ts';

/** Findings as BuildKit prints them, after a line that counts them. */
export function humanFindings(files: readonly CheckedFile[]): string {
  const count = files.reduce((sum, { report }) => sum + report.findings.length, 0);
  const blocks = files.flatMap((file) => [...findingBlocks(file), ...failure(file)]);
  const fixable = files.reduce(
    (sum, { report }) => sum + report.findings.filter(({ fix }) => fix !== undefined).length,
    0,
  );
  const hint = fixable === 0 ? [] : [`${fixable} of ${count} can be mended by slipway check --fix\n`];
  const cut = files.filter(({ report }) => report.findings.length >= maxFindings).map(cutShort);
  return [...(blocks.length === 0 || count > 0 ? [`${summary(count)}\n`] : []), ...blocks, ...cut, ...hint].join('\n');
}

function summary(count: number): string {
  if (count === 0) return 'Check complete, no warnings found.';
  return `Check complete, ${count === 1 ? '1 warning has' : `${count} warnings have`} been found!`;
}

function cutShort({ name }: CheckedFile): string {
  return `${escapeControls(name)} has more than these: ${maxFindings} of a file are kept\n`;
}

function findingBlocks({ name, text, report }: CheckedFile): string[] {
  const lines = text.split('\n');
  return report.findings.map(({ rule, url, message, range, start }) => {
    const head = `WARNING: ${rule}${url === undefined ? '' : ` - ${url}`}`;
    const shown = excerpt(lines, range, { name, position: start }).map(escapeControlsInLines);
    return `${[head, escapeControls(message), ...shown].join('\n')}\n`;
  });
}

function failure({ name, report: { error } }: CheckedFile): string[] {
  if (error === undefined) return [];
  const hint = error.hint === undefined ? [] : [error.hint];
  // Where no excerpt names the file.
  const file = error.range === undefined ? `${name}: ` : '';
  return [`${[`ERROR: ${file}${error.message}`, ...error.details, ...hint].map(escapeControlsInLines).join('\n')}\n`];
}
