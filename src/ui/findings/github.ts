import { annotation } from '../github.ts';
import type { CheckedFile } from './checked-file.ts';

/** Findings as workflow commands, which GitHub shows beside the lines of a pull request. */
export function githubFindings(files: readonly CheckedFile[]): string {
  return files
    .flatMap(annotations)
    .map((line) => `${line}\n`)
    .join('');
}

function annotations({ name, report }: CheckedFile): string[] {
  const warnings = report.findings.map(({ rule, message, start, end }) =>
    annotation('warning', message, {
      file: name,
      line: start.line,
      endLine: end.line,
      // Columns count only where all is on one line.
      ...(start.line === end.line && end.column > start.column ? { col: start.column, endColumn: end.column } : {}),
      title: rule,
    }),
  );
  const { error } = report;
  if (error === undefined) return warnings;
  const { position, range } = error;
  const place = position ?? (range === undefined ? undefined : { line: range.start, column: 1 });
  const properties = place === undefined ? {} : { line: place.line, col: place.column };
  return [...warnings, annotation('error', error.message, { file: name, ...properties, title: 'Dockerfile' })];
}
