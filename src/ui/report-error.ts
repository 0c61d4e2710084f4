import { isSlipwayError, messageOf } from '../errors.ts';
import { hideSecrets } from '../system/index.ts';
import { paint } from './colour.ts';
import { escapeControls, escapeControlsInLines } from './escape.ts';
import { interruptExitCode } from './interrupt.ts';

export interface ReportOptions {
  /** The command as typed, for `See 'slipway build --help'.` */
  readonly command?: string | undefined;
  /** Show stacks and causes. */
  readonly debug: boolean;
  readonly stream: NodeJS.WritableStream;
}

/**
 * Shows an error to the person at the terminal: message, details, hint; no stack unless asked for.
 * @returns the exit status of the command
 */
export function reportError(error: unknown, options: ReportOptions): number {
  const interrupted = interruptExitCode();
  if (interrupted !== undefined) {
    // Whatever fails after Ctrl-C fails because of it.
    options.stream.write(options.debug ? `interrupted\n${hideSecrets(stacksOf(error).join('\n'))}\n` : 'interrupted\n');
    return interrupted;
  }
  // The last border before the terminal: whatever an error of a library quotes, no credential of this process is shown.
  for (const line of linesOf(error, options)) options.stream.write(`${hideSecrets(line)}\n`);
  return isSlipwayError(error) ? error.exitCode : 1;
}

function linesOf(error: unknown, { command, debug, stream }: ReportOptions): string[] {
  const lines = [`${paint('red', 'ERROR:', stream)} ${escapeControlsInLines(messageOf(error) || 'unknown error')}`];
  if (isSlipwayError(error)) {
    lines.push(...error.details.map(escapeControlsInLines));
    if (error.hint !== undefined) lines.push(escapeControlsInLines(error.hint));
    if (error.code === 'USAGE') lines.push('', `See 'slipway ${command === undefined ? '' : `${command} `}--help'.`);
  } else if (!debug) {
    lines.push('This is not an error that Slipway expected; run it with --debug to see where it comes from.');
  }
  if (debug) lines.push(...stacksOf(error));
  return lines;
}

function stacksOf(error: unknown): string[] {
  const lines: string[] = [];
  // Bounded: a cause may point back at its error.
  for (let current = error, depth = 0; current instanceof Error && depth < 10; current = current.cause, depth += 1) {
    const fields = Object.entries(current).filter(([key]) => key !== 'cause' && key !== 'details' && key !== 'hint');
    lines.push(`${depth === 0 ? '' : 'caused by '}${escapeControlsInLines(current.stack ?? String(current))}`);
    if (fields.length > 0)
      lines.push(`    ${fields.map(([key, value]) => `${key}=${escapeControls(String(value))}`).join(' ')}`);
  }
  return lines;
}
