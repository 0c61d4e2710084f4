import { escapeControls } from './escape.ts';
import { alignTabs, formatTable } from './table.ts';
import { compileTemplate } from './template/render.ts';
import { isList, isRecord, type Value } from './template/value.ts';

export type Row = Readonly<Record<string, Value>>;

export interface ListOptions {
  /** Column heads by field: `{ Repository: 'REPOSITORY', ID: 'IMAGE ID' }`. All fields that a format may name. */
  readonly heads: Readonly<Record<string, string>>;
  /** Fields of the plain table, in order. */
  readonly columns: readonly string[];
  /** The user's `--format`: a template, `table` with or without one, or `json`. */
  readonly format?: string | undefined;
}

/**
 * Docker's lists: a table by default, `json` as one object a line, `table {{.ID}}\t{{.Size}}` with heads, or a template a line.
 * Control characters in cells are made visible; `json` carries the true values.
 * @throws UiError TEMPLATE_INVALID, TEMPLATE_FAILED
 */
export function formatList(rows: readonly Row[], options: ListOptions): string {
  const format = options.format ?? 'table';
  if (format === 'json') return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  if (format === 'table') {
    const cells = rows.map((row) => options.columns.map((column) => cellOf(row[column])));
    return formatTable([options.columns.map((column) => options.heads[column] ?? column.toUpperCase()), ...cells]);
  }
  const isTable = /^table(?=\s)/.test(format);
  const template = compileTemplate(unescape(isTable ? format.slice('table'.length).trimStart() : format));
  const lines = rows.map((row) => template.render(escapeRow(row)));
  if (!isTable) return lines.map((line) => `${line}\n`).join('');
  return alignTabs([template.render(options.heads), ...lines]);
}

/** Shells pass `\t` and `\n` in formats as two characters each; docker reads them as tab and line break. */
function unescape(format: string): string {
  return format.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
}

function cellOf(value: Value): string {
  return value === null || value === undefined
    ? ''
    : escapeControls(typeof value === 'string' ? value : JSON.stringify(value));
}

function escapeRow(row: Row): Row {
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, escapeDeep(value)]));
}

function escapeDeep(value: Value): Value {
  if (typeof value === 'string') return escapeControls(value);
  if (isList(value)) return value.map(escapeDeep);
  return isRecord(value) ? escapeRow(value) : value;
}
