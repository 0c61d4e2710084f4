import { createInterface } from 'node:readline';
import { UiError } from './error.ts';

export interface PromptOptions {
  readonly input?: NodeJS.ReadStream | undefined;
  readonly output?: NodeJS.WritableStream | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Ctrl-C, Ctrl-D, and the two codes that terminals send for the erase key. */
const [interrupt, endOfInput, backspace, erase] = ['\u0003', '\u0004', '\b', '\u007f'];

/**
 * Asks for a password on the terminal, without showing what is typed.
 * @throws UiError NOT_A_TERMINAL, or INTERRUPTED at Ctrl-C, Ctrl-D and abort
 */
export async function askPassword(question: string, options: PromptOptions = {}): Promise<string> {
  const input = options.input ?? process.stdin;
  const output = options.output ?? process.stderr;
  if (input.isTTY !== true) {
    throw new UiError('NOT_A_TERMINAL', 'cannot ask for a password: standard input is not a terminal', {
      hint: 'Pass it with --password-stdin.',
    });
  }
  output.write(question);
  input.setRawMode(true);
  input.setEncoding('utf8');
  try {
    return await readHidden(input, options.signal);
  } finally {
    input.setRawMode(false);
    input.pause();
    output.write('\n');
  }
}

function readHidden(input: NodeJS.ReadStream, signal: AbortSignal | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed: string[] = [];
    const finish = (settle: () => void): void => {
      input.off('data', onData);
      signal?.removeEventListener('abort', stop);
      settle();
    };
    const stop = (): void => finish(() => reject(new UiError('INTERRUPTED', 'interrupted', { exitCode: 130 })));
    const onData = (chunk: string | Buffer): void => {
      for (const character of String(chunk)) {
        if (character === '\r' || character === '\n') return finish(() => resolve(typed.join('')));
        if (character === interrupt || character === endOfInput) return stop();
        if (character === backspace || character === erase) typed = typed.slice(0, -1);
        else typed.push(character);
      }
    };
    signal?.addEventListener('abort', stop, { once: true });
    input.on('data', onData);
    input.resume();
  });
}

/**
 * Asks a question whose answer is shown; a piped input answers with its first line.
 * @throws UiError INTERRUPTED where input ends without an answer
 */
export async function ask(question: string, options: PromptOptions = {}): Promise<string> {
  const input = options.input ?? process.stdin;
  const output = options.output ?? process.stderr;
  const lines = createInterface({ input, output, terminal: input.isTTY === true, signal: options.signal });
  output.write(question);
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      // Also comes after a line; the promise is settled by then.
      lines.once('close', () => reject(new UiError('INTERRUPTED', 'no answer was given')));
    });
  } finally {
    lines.close();
  }
}

/** Asks before something that cannot be undone; anything but `y` or `yes` is no. */
export async function confirm(warning: string, options: PromptOptions = {}): Promise<boolean> {
  const answer = await ask(`${warning}\nAre you sure you want to continue? [y/N] `, options);
  return /^y(?:es)?$/i.test(answer.trim());
}
