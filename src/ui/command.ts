import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Command as OclifCommand } from '@oclif/core/command';
import type { Input, ParserOutput } from '@oclif/core/interfaces';
import type { OpenRegistryRepository } from '../build/index.ts';
import { messageOf, UsageError } from '../errors.ts';
import { escapeControlsInLines } from './escape.ts';
import { type CommandSyntax, parseLine } from './parse-flags.ts';
import type { FlagDefinition } from './flag-set.ts';
import { interruptSignal } from './interrupt.ts';
import { UiError } from './error.ts';
import { toJson } from './json.ts';
import { parseDuration } from './time.ts';
import { hideSecrets } from '../system/index.ts';
import { writeWholeFile } from './whole-file.ts';
import type { Registries } from '../registry/index.ts';
import { registrySettings, type RegistryValues } from './registry-flags/registry.ts';

type Values = Record<string, unknown>;

/**
 * What every command starts from. Declarations, help and lazy loading are oclif's; the command line is read by docker's rules
 * (parse-flags.ts), because habit is an interface: oclif's own parser feeds flags after the image to itself, lets lists
 * swallow arguments, refuses repeated flags and waits for standard input.
 */
export abstract class Command extends OclifCommand {
  /** True for commands whose words after the first argument belong to another program. */
  static passThrough = false;

  #limited: AbortSignal | undefined;

  /** Aborts at the first SIGINT or SIGTERM (the second ends the process at once), and when the time of `--timeout` is over. */
  get interrupted(): AbortSignal {
    return this.#limited ?? interruptSignal();
  }

  #limitTime(timeout: unknown): void {
    if (typeof timeout !== 'string') return;
    const controller = new AbortController();
    const end = (): void => {
      const hint = 'Give it more time with --timeout; what is complete is not moved twice.';
      controller.abort(new UiError('DEADLINE', `not done within ${timeout}`, { hint }));
    };
    // a timer counts to 24 days
    setTimeout(end, Math.min(parseDuration(timeout), 2 ** 31 - 1)).unref();
    this.#limited = AbortSignal.any([interruptSignal(), controller.signal]);
  }

  /** Opens repositories as the flags of a command say (registryFlags); the client is loaded only when the first is opened. */
  protected registries(flags: RegistryValues): OpenRegistryRepository {
    return async (name, access) => {
      const client = await this.registryClient(flags);
      if (access === 'push' && (await client.prepare(name, { signal: this.interrupted })))
        this.note(`Created the repository of ${name}`);
      return client.open(name, access);
    };
  }

  #client: Promise<Registries> | undefined;

  /** The client as the flags of a command say, loaded only now. */
  protected registryClient(flags: RegistryValues): Promise<Registries> {
    const settings = registrySettings(flags);
    const warn = (message: string): void => this.note(`WARNING: ${escapeControlsInLines(message)}`);
    this.#client ??= import('../registry/index.ts').then((registry) => new registry.Registries(settings, { warn }));
    return this.#client;
  }

  /** Writes a result, with a line break. Progress and remarks go to `note`. */
  print(text: string): void {
    process.stdout.write(text.endsWith('\n') || text === '' ? text : `${text}\n`);
  }

  /** Writes a remark for people on standard error. */
  note(text: string): void {
    process.stderr.write(`${hideSecrets(text)}\n`);
  }

  /** After work on several things: notes all errors but the last, and throws that. Nothing where there are none. */
  throwAll(failures: readonly unknown[]): void {
    for (const failure of failures.slice(0, -1)) this.note(`ERROR: ${escapeControlsInLines(messageOf(failure))}`);
    if (failures.length > 0) throw failures.at(-1);
  }

  /** Writes a value as JSON for programs. */
  printJson(value: unknown): void {
    this.print(toJson(value));
  }

  /** A value as `printJson` writes it. */
  jsonText(value: unknown): string {
    return `${toJson(value)}\n`;
  }

  /**
   * Writes what was asked for, byte for byte: to a file, whole, or to standard output. On a terminal what would steer it
   * is shown instead, and a stream, which may be anything, is refused.
   * @throws UiError FILE_UNWRITABLE, UsageError
   */
  async writeResult(content: Uint8Array | string | Readable, file: string | undefined): Promise<void> {
    if (file !== undefined && file !== '-') return writeWholeFile(file, content);
    if (process.stdout.isTTY && content instanceof Readable) {
      content.destroy();
      throw new UsageError('this is not written to a terminal. Use the -o flag or redirect', { exitCode: 1 });
    }
    if (content instanceof Readable) await pipeline(content, process.stdout, { end: false });
    else if (process.stdout.isTTY) this.print(escapeControlsInLines(Buffer.from(content).toString('utf8')));
    else process.stdout.write(content);
  }

  /** Runs the command; errors come out as they were thrown (cli.ts shows them). */
  async execute(): Promise<void> {
    await this.run();
  }

  protected override async parse<F extends Values, B extends Values, A extends Values>(
    options?: Input<F, B, A>,
    argv: string[] = this.argv,
  ): Promise<ParserOutput<F, B, A>> {
    const declared = options ?? (this.ctor as unknown as Input<F, B, A>);
    const parsed = await parseLine(argv, syntaxOf(declared, this.ctor as typeof Command));
    this.parsed = true;
    this.#limitTime(parsed.flags['timeout']);
    return { ...parsed, metadata: { flags: {} }, nonExistentFlags: [], raw: [] } as unknown as ParserOutput<F, B, A>;
  }
}

function syntaxOf<F extends Values, B extends Values, A extends Values>(
  declared: Input<F, B, A>,
  { passThrough }: typeof Command,
): CommandSyntax {
  const flags = { ...declared.baseFlags, ...declared.flags } as unknown as Record<string, FlagDefinition>;
  return { flags, args: declared.args ?? {}, strict: declared.strict !== false, passThrough };
}
