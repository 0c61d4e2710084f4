import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { Config } from '@oclif/core/config';
import { Help } from '@oclif/core/help';
import type { PJSON } from '@oclif/core/interfaces';
import { settings } from '@oclif/core/settings';
import { offerThread } from './build/index.ts';
import { UsageError } from './errors.ts';
import { type Command, interruptExitCode, readBuildInfo, reportError } from './ui/index.ts';

/** Set by the bundler; from source, Node strips the types and commands are found in src/commands. */
declare const SLIPWAY_BUNDLED: boolean | undefined;

/**
 * Runs one command line.
 * @param root the package's folder
 * @param thread one for a build, if the launcher started it
 * @returns the exit status
 */
export async function main(argv: readonly string[], root: string, thread?: Worker): Promise<number> {
  if (thread !== undefined) offerThread(thread);
  for (const stream of [process.stdout, process.stderr]) stream.on('error', endQuietlyOnClosedPipe);
  const line = readGlobals(argv);
  let found: Found | undefined;
  try {
    if (line.version) return printVersion(root);
    const bundled = await loadBundled(root, line);
    if (bundled !== undefined) {
      found = bundled.found;
      await runCommand(bundled, found);
    } else {
      const config = await withShell(() => loadConfig(root));
      found = findCommand(config, line.words);
      if (found === undefined) return await showHelp(config, line);
      if (line.help || wantsHelp(found)) return await showCommandHelp(config, found.id);
      const loaded = await config.findCommand(found.id, { must: true }).load();
      await runCommand({ Class: loaded as unknown as CommandClass, config }, found);
    }
    return exitCodeOf(process.exitCode) ?? interruptExitCode() ?? 0;
  } catch (error) {
    const debug = line.debug || found?.debug === true;
    return reportError(error, { command: found?.id.replaceAll(':', ' '), debug, stream: process.stderr });
  }
}

interface Line {
  /** The command and everything after it. */
  readonly words: readonly string[];
  readonly debug: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

/** Takes off the flags that stand before the command. */
function readGlobals(argv: readonly string[]): Line {
  let debug = process.env['SLIPWAY_DEBUG'] === '1';
  let [help, version] = [false, false];
  let index = 0;
  for (; index < argv.length; index += 1) {
    const word = argv[index];
    if (word === '--debug' || word === '-D') debug = true;
    else if (word === '--help' || word === '-h') help = true;
    else if (word === '--version' || word === '-v') version = true;
    else break;
  }
  return { words: argv.slice(index), debug, help, version };
}

async function loadConfig(root: string): Promise<Config> {
  const bundled = typeof SLIPWAY_BUNDLED !== 'undefined' && SLIPWAY_BUNDLED;
  if (bundled) return Config.load({ root });
  settings.enableAutoTranspile = false;
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PJSON;
  const oclif = { ...pjson.oclif, commands: './src/commands' };
  return Config.load({ root, pjson: { ...pjson, oclif }, isRoot: true, ignoreManifest: true });
}

/**
 * oclif asks the user table for the login shell where no variable names it, which it needs for nothing that we use, and which
 * fails for a user that is in no table (`docker run --user 1234`).
 */
async function withShell<T>(load: () => Promise<T>): Promise<T> {
  if (process.env['SHELL'] !== undefined) return load();
  process.env['SHELL'] = '/bin/sh';
  try {
    return await load();
  } finally {
    delete process.env['SHELL'];
  }
}

interface Found {
  /** `registry:serve` */
  readonly id: string;
  /** Without `--debug`. */
  readonly argv: readonly string[];
  readonly passThrough: boolean;
  readonly debug: boolean;
}

/** The command whose name is the longest run of first words: `system df` before `system`. */
function findCommand(config: Config, words: readonly string[]): Found | undefined {
  let best: Found | undefined;
  for (let count = 1; count <= words.length; count += 1) {
    const word = words[count - 1] ?? '';
    if (word.startsWith('-') || word.includes(':')) break;
    const id = words.slice(0, count).join(':');
    const command = config.findCommand(id);
    if (command === undefined) continue;
    const passThrough = 'passThrough' in command && command['passThrough'] === true;
    best = foundAs(command.id, words.slice(count), passThrough);
  }
  return best;
}

function foundAs(id: string, words: readonly string[], passThrough: boolean): Found {
  const own = ownWords(words, passThrough);
  const argv = words.filter((argument, index) => index >= own || argument !== '--debug');
  return { id, argv, passThrough, debug: argv.length < words.length };
}

/** How many of the words may hold flags of ours: up to `--`, or to the first argument where the rest is another program's. */
function ownWords(words: readonly string[], passThrough: boolean): number {
  const end = words.findIndex((word) => word === '--' || (passThrough && !word.startsWith('-')));
  return end === -1 ? words.length : end;
}

function wantsHelp({ argv, passThrough }: Found): boolean {
  return argv.slice(0, ownWords(argv, passThrough)).some((word) => word === '--help' || word === '-h');
}

interface Loaded {
  readonly Class: CommandClass;
  readonly config: Config;
}

type CommandClass = (new (argv: string[], config: Config) => Command) & { id: string; readonly passThrough?: boolean };

async function runCommand({ Class, config }: Loaded, found: Found): Promise<void> {
  await new Class([...found.argv], config).execute();
}

/**
 * The command of a line, from the file that is called like it. oclif would read what is known of all commands first (0.5 MB, 14 ms
 * of every start), which only help and mistakes need: where it may be these, and from source, nothing is found.
 */
async function loadBundled(root: string, line: Line): Promise<(Loaded & { readonly found: Found }) | undefined> {
  const { words } = line;
  if (typeof SLIPWAY_BUNDLED === 'undefined' || !SLIPWAY_BUNDLED) return undefined;
  if (line.help || words.includes('--help') || words.includes('-h')) return undefined;
  const end = words.findIndex((word) => !/^[a-z][a-z-]*$/.test(word));
  for (let count = Math.min(end === -1 ? words.length : end, 3); count > 0; count -= 1) {
    const file = `${join(root, 'dist', 'commands', ...words.slice(0, count))}.js`;
    if (!existsSync(file)) continue;
    const { default: Class } = (await import(pathToFileURL(file).href)) as { readonly default: CommandClass };
    const id = words.slice(0, count).join(':');
    Class.id = id; // as oclif does
    const config = Object.assign(new Config({ root }), { root, bin: 'slipway' });
    return { Class, config, found: foundAs(id, words.slice(count), Class.passThrough === true) };
  }
  return undefined;
}

async function showCommandHelp(config: Config, id: string): Promise<number> {
  await new Help(config, config.pjson.oclif.helpOptions ?? {}).showHelp([id]);
  return 0;
}

/** Help on everything or on a topic; a first word that is neither is an error. */
async function showHelp(config: Config, { words }: Line): Promise<number> {
  const help = new Help(config, config.pjson.oclif.helpOptions ?? {});
  const names = (words[0] === 'help' ? words.slice(1) : words).filter((word) => !word.startsWith('-'));
  const known = names.length === 0 || findCommand(config, names) !== undefined;
  if (!known && config.findTopic(names.join(':')) === undefined) {
    throw new UsageError(`unknown command: slipway ${names.join(' ')}`);
  }
  await help.showHelp(names.length === 0 ? [] : [findCommand(config, names)?.id ?? names.join(':')]);
  return 0;
}

function printVersion(root: string): number {
  const { version, commit } = readBuildInfo(root);
  process.stdout.write(`Slipway version ${version}, build ${commit}\n`);
  return 0;
}

/** The reader went away (`slipway images | head -1`): nobody is left to tell, as after SIGPIPE. */
function endQuietlyOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE' || error.code === 'EIO') process.exit(141);
  throw error;
}

/** What the command set itself. */
function exitCodeOf(code: typeof process.exitCode): number | undefined {
  return code === undefined || code === null ? undefined : Number(code);
}
