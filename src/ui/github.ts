import { escapeControlsInLines } from './escape.ts';

/** What a workflow command points at. */
export interface AnnotationPlace {
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly endLine?: number | undefined;
  readonly col?: number | undefined;
  readonly endColumn?: number | undefined;
  readonly title?: string | undefined;
}

/** A line that GitHub shows beside those of a file: `::error file=…,line=…::message`. */
export function annotation(level: 'warning' | 'error', message: string, place: AnnotationPlace): string {
  const shown = Object.entries(place)
    .filter((entry): entry is [string, string | number] => entry[1] !== undefined)
    .map(([key, value]) => `${key}=${escapeProperty(String(value))}`);
  return `::${level}${shown.length === 0 ? '' : ` ${shown.join(',')}`}::${escapeData(message)}`;
}

/** Text after the second `::` of a workflow command. */
export function escapeData(text: string): string {
  return escapeControlsInLines(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/**
 * A line that the runner takes for no command: one starts with `::` after blanks, an old one has `##[` anywhere.
 * For text from outside that stands where commands are obeyed.
 */
export function inertLine(line: string): string {
  return line.replaceAll('##[', '# #[').replace(/^(\s*):(?=:)/, '$1: ');
}
