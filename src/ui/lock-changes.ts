import type { PinChange } from '../build/index.ts';
import { escapeControls } from './escape.ts';

/** What another lock file says, a source a paragraph. */
export function lockChangeLines(path: string, changes: readonly PinChange[]): string {
  if (changes.length === 0) return `${escapeControls(path)} is up to date\n`;
  return changes.map((change) => `${escapeControls(change.source)}\n${changeLine(change)}\n`).join('');
}

function changeLine({ before, after }: PinChange): string {
  if (before === undefined) return `  + ${escapeControls(after ?? '')}`;
  if (after === undefined) return `  - ${escapeControls(before)}`;
  return `  - ${escapeControls(before)}\n  + ${escapeControls(after)}`;
}
