import { Buffer } from 'node:buffer';
import { type Finding, lineRanges, type SourceRange } from '../../dockerfile/index.ts';
import type { CheckedFile } from './checked-file.ts';

/** Findings in the form of BuildKit's lint results, with what we know beyond it: columns, fixes, unknown bases. */
export function jsonFindings(files: readonly CheckedFile[]): unknown {
  const [failed] = files.flatMap(({ report: { error } }, index) => (error === undefined ? [] : [{ error, index }]));
  return {
    warnings: files.flatMap(({ report }, index) => report.findings.map((finding) => warning(finding, index))),
    sources: files.map(({ name, bytes }) => ({
      filename: name,
      language: 'Dockerfile',
      data: Buffer.from(bytes).toString('base64'),
    })),
    ...(failed === undefined
      ? {}
      : {
          buildError: {
            message: failed.error.message,
            location: failed.error.range === undefined ? {} : location(failed.error.range, failed.index),
          },
        }),
    unknownBases: files.flatMap(({ report }, index) =>
      report.unknown.map(({ name }) => ({ sourceIndex: index, name })),
    ),
  };
}

function warning({ rule, description, url, message, range, start, end, fix }: Finding, index: number): unknown {
  return {
    ruleName: rule,
    description,
    ...(url === undefined ? {} : { url }),
    detail: message,
    location: location(range, index),
    start,
    end,
    ...(fix === undefined ? {} : { fix }),
  };
}

function location(range: SourceRange, sourceIndex: number): unknown {
  return { ...(sourceIndex === 0 ? {} : { sourceIndex }), ...lineRanges(range) };
}
