import type { ShellCommand } from '../shell/script.ts';
import { argumentsOf, hasWord } from '../shell/subcommand.ts';

/** What a command that installs what a manifest lists is called, and where the manifest is. */
export interface DependencyInstall {
  /** `npm ci`. */
  readonly title: string;
  /** What to copy before it. */
  readonly manifest: string;
}

/** Whether a command installs just what a manifest lists, and needs no other file of the project for it. */
export function dependencyInstall(command: ShellCommand): DependencyInstall | undefined {
  const found = installs[command.name]?.(command);
  return found === undefined ? undefined : { title: `${command.name} ${found.verb}`.trim(), manifest: found.manifest };
}

type Finder = (command: ShellCommand) => { verb: string; manifest: string } | undefined;

const installs: Readonly<Record<string, Finder>> = {
  npm: verbs(['ci', 'install', 'i', 'clean-install'], 'package.json and package-lock.json', [
    '--prefix',
    '-C',
    '--loglevel',
  ]),
  yarn: verbs(['install', ''], 'package.json and yarn.lock', ['--cwd', '--network-timeout', '--cache-folder']),
  pnpm: verbs(['install', 'i', 'fetch'], 'package.json and pnpm-lock.yaml', ['-C', '--dir', '--filter']),
  bundle: verbs(['install', ''], 'Gemfile and Gemfile.lock', ['--jobs', '-j', '--without', '--path', '--retry']),
  composer: verbs(['install'], 'composer.json and composer.lock', ['-d', '--working-dir']),
  cargo: verbs(['fetch'], 'Cargo.toml and Cargo.lock', ['--target', '--manifest-path']),
  go: (command) => (isGoDownload(command) ? { verb: 'mod download', manifest: 'go.mod and go.sum' } : undefined),
  pip: fromRequirements,
  pip3: fromRequirements,
  mvn: (command) =>
    goal(command, /^dependency:(?:go-offline|resolve)/) ? { verb: 'dependency:…', manifest: 'pom.xml' } : undefined,
  gradle: (command) =>
    goal(command, /^dependencies$/) ? { verb: 'dependencies', manifest: 'the build files' } : undefined,
};

/** One of the verbs and nothing more: a package named behind it is not the manifest's. */
function verbs(known: readonly string[], manifest: string, withValue: readonly string[]): Finder {
  return (command) => {
    if (hasWord(command, '-g', '--global', '--version', '-v', '--help')) return undefined;
    const { verb, operands } = argumentsOf(command, withValue);
    const text = verb?.text ?? (command.words.some(({ expands }) => expands) ? undefined : '');
    if (text === undefined || !known.includes(text) || operands.length > 0) return undefined;
    return { verb: text, manifest };
  };
}

function isGoDownload({ words }: ShellCommand): boolean {
  const texts = words.map(({ text }) => text);
  return texts[1] === 'mod' && texts[2] === 'download';
}

/** `pip install -r FILE`, and nothing of the project itself. */
function fromRequirements(command: ShellCommand): ReturnType<Finder> {
  const texts = command.words.map(({ text }) => text);
  const file = texts.findIndex((text) => text === '-r' || text === '--requirement');
  const name = texts[file + 1];
  if (texts[1] !== 'install' || file < 0 || name === undefined) return undefined;
  const local = texts.some(
    (text) => text === '-e' || text === '--editable' || (/^\.{1,2}(?:\/|\[|$)/.test(text) && text !== name),
  );
  return local ? undefined : { verb: `install -r ${name}`, manifest: name };
}

function goal({ words }: ShellCommand, pattern: RegExp): boolean {
  const goals = words.slice(1).filter(({ text }) => !text.startsWith('-'));
  return goals.length === 1 && pattern.test(goals[0]?.text ?? '');
}
