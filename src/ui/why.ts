import type { MissReason, RememberedStep } from '../build/index.ts';
import { escapeControls } from './escape.ts';

/** What a step of a past build did, and why: a line, and one below it for each reason. */
export function whyLines(step: RememberedStep, dockerfile: string): string {
  const place = step.line === undefined ? '' : ` (${escapeControls(dockerfile)}:${step.line})`;
  const head = `#${step.number} ${escapeControls(step.title)}${place}\n`;
  return [head, ...[outcomeLine(step), ...(step.reasons ?? []).map(reasonLine)].map((line) => `   ${line}\n`)].join('');
}

function outcomeLine({ outcome, milliseconds = 0, parts }: RememberedStep): string {
  const seconds = `${(milliseconds / 1000).toFixed(1)}s`;
  switch (outcome) {
    case 'image':
      return `image ${escapeControls(parts['digest'] ?? '')}`;
    case 'cached':
      return 'cached: nothing that it depends on had changed';
    case 'done':
      return `done in ${seconds}, because`;
    case 'failed':
      return `failed after ${seconds}; it was begun because`;
  }
}

function reasonLine({ text }: MissReason): string {
  return `- ${escapeControls(text)}`;
}
