import type { Joint, Redirect, ShellCommand, ShellWord } from './script.ts';

interface Place {
  readonly redirects: readonly Redirect[];
  readonly joint: Joint;
  readonly depth: number;
  readonly start: number;
  readonly end: number;
}

/** Programs that only start another one: options without a value, and those that take the next word. */
const starters: ReadonlyMap<string, { readonly flags: RegExp; readonly withValue: RegExp; readonly values?: number }> =
  new Map([
    ['sudo', { flags: /^-[EHnSk]+$|^--(?:preserve-env|set-home)(?:=.*)?$/, withValue: /^-[ug]$/ }],
    ['env', { flags: /^-i$|^-$/, withValue: /^-u$/ }],
    ['time', { flags: /^-p$/, withValue: /^$/ }],
    ['exec', { flags: /^$/, withValue: /^$/ }],
    ['command', { flags: /^-p$/, withValue: /^$/ }],
    ['builtin', { flags: /^$/, withValue: /^$/ }],
    ['nohup', { flags: /^$/, withValue: /^$/ }],
    ['eatmydata', { flags: /^$/, withValue: /^$/ }],
    ['nice', { flags: /^-\d+$/, withValue: /^-n$/ }],
    ['timeout', { flags: /^--(?:foreground|preserve-status)$/, withValue: /^-[ks]$/, values: 1 }],
  ]);

/** A simple command of its words: what only starts the program is set aside. */
export function toCommand(words: readonly ShellWord[], place: Place): ShellCommand {
  const assignments: ShellWord[] = [];
  const prefix: ShellWord[] = [];
  let index = 0;
  for (;;) {
    for (let word = words[index]; word !== undefined && isAssignment(word); word = words[++index]) {
      assignments.push(word);
    }
    const behind = behindStarter(words, index);
    if (behind === undefined) break;
    for (const word of words.slice(index, behind)) prefix.push(word);
    index = behind;
  }
  const own = words.slice(index);
  return { ...place, name: programOf(own[0]), words: own, assignments, prefix };
}

function isAssignment({ text }: ShellWord): boolean {
  return /^[A-Za-z_]\w*\+?=/.test(text);
}

/** The index of what a starter at `index` starts; undefined where there is none, or an option that is not known. */
function behindStarter(words: readonly ShellWord[], index: number): number | undefined {
  const starter = starters.get(programOf(words[index]));
  if (starter === undefined) return undefined;
  let next = index + 1;
  for (let word = words[next]; word !== undefined; word = words[next]) {
    if (starter.withValue.test(word.text)) next += 2;
    else if (starter.flags.test(word.text)) next++;
    else break;
  }
  next += starter.values ?? 0;
  const word = words[next];
  return word === undefined || word.text.startsWith('-') ? undefined : next;
}

/** The program's name without its folder; empty where only a run can tell. */
function programOf(word: ShellWord | undefined): string {
  return word === undefined || word.expands ? '' : word.text.slice(word.text.lastIndexOf('/') + 1);
}
