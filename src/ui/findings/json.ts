import { Buffer } from 'node:buffer';
import { type DockerfileError, type Finding, lineRanges, type SourceRange } from '../../dockerfile/index.ts';
import type { CheckedFile } from './checked-file.ts';

/** Findings in the form of BuildKit's lint results, with what we know beyond it: columns, fixes, unknown bases. */
export function jsonFindings(files: readonly CheckedFile[]): unknown {
  const failures = files.flatMap(({ report: { error } }, index) =>
    error === undefined ? [] : [failure(error, index)],
  );
  return {
    warnings: files.flatMap(({ report }, index) => report.findings.map((finding) => warning(finding, index))),
    sources: files.map(({ name, bytes }) => ({
      filename: name,
      language: 'Dockerfile',
      data: Buffer.from(bytes).toString('base64'),
    })),
    // BuildKit looks at one file, and has one error.
    ...(failures.length === 0 ? {} : { buildError: failures[0], buildErrors: failures }),
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

function failure({ message, range, position }: DockerfileError, index: number): unknown {
  return {
    message,
    location: range === undefined ? sourceOf(index) : location(range, index),
    ...(position === undefined ? {} : { start: position }),
  };
}

function location(range: SourceRange, sourceIndex: number): unknown {
  return { ...sourceOf(sourceIndex), ...lineRanges(range) };
}

/** As protobuf writes it, 0 is left out. */
function sourceOf(sourceIndex: number): { sourceIndex?: number } {
  return sourceIndex === 0 ? {} : { sourceIndex };
}
