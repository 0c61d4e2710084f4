/** What GitHub's runner makes of a log: the commands it obeys, by its own rules, and whether it still obeys any at the end. */
export function obeyed(text: string): { readonly commands: readonly string[]; readonly stopped: boolean } {
  const commands: string[] = [];
  let token: string | undefined;
  // It reads lines as .NET does: a carriage return ends one too.
  for (const line of text.split(/\r\n|\r|\n/)) {
    const command = commandOf(line);
    if (command === undefined) continue;
    if (token !== undefined) {
      if (command.toLowerCase() === token.toLowerCase()) token = undefined;
      continue;
    }
    const stop = /^\s*::stop-commands::(.*)$/.exec(line);
    if (stop === null) commands.push(line.trimStart());
    else token = stop[1];
  }
  return { commands, stopped: token !== undefined };
}

function commandOf(line: string): string | undefined {
  return /^\s*::([^:\s]+)(?: [^:]*)?::/.exec(line)?.[1] ?? /##\[([^\]\s]+)[^\]]*\]/.exec(line)?.[1];
}
