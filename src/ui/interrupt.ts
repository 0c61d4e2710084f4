const controller = new AbortController();
let listening = false;
let received: 'SIGINT' | 'SIGTERM' | undefined;

/**
 * Aborts at the first SIGINT or SIGTERM, so that the command can stop its work and clean up. The second one of either ends the
 * process without waiting; the next command then cleans up.
 */
export function interruptSignal(): AbortSignal {
  if (!listening) {
    listening = true;
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  }
  return controller.signal;
}

/** The exit status of an interrupted command (128 + the signal's number), or undefined if nothing interrupted it. */
export function interruptExitCode(): number | undefined {
  return received === undefined ? undefined : exitCodes[received];
}

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

function onSignal(signal: NodeJS.Signals): void {
  const name = signal === 'SIGTERM' ? 'SIGTERM' : 'SIGINT';
  if (received !== undefined) process.exit(exitCodes[name]);
  received = name;
  controller.abort(new DOMException(`interrupted by ${name}`, 'AbortError'));
}
