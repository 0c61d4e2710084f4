import type { BuildNote } from '../../build/index.ts';
import { escapeControls } from '../escape.ts';

/** A note as lines for people; `warning` is the word that warnings begin with. */
export function noteLines({ level, message, findings }: BuildNote, warning: string): string[] {
  const where = findings === undefined ? '' : ' (slipway check shows where):';
  const head = `${level === 'warning' ? `${warning} ` : ''}${escapeControls(message)}${where}`;
  const lines = (findings ?? []).map(({ rule, message: text, line }) => {
    const place = line === undefined ? '' : ` (line ${line})`;
    return ` - ${escapeControls(rule)}: ${escapeControls(text)}${place}`;
  });
  return [head, ...lines];
}
