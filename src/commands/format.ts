import { readFile } from 'node:fs/promises';
import { string as argument } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { DockerfileError, decodeText, encodeText, format, parse } from '../dockerfile/index.ts';
import { UsageError } from '../errors.ts';
import { reasonOf } from '../system/index.ts';
import {
  Command,
  defaultDockerfile,
  escapeControls,
  jsonFlag,
  readStandardInput,
  rewriteFile,
  UiError,
  unifiedDiff,
} from '../ui/index.ts';

/** Bytes of a Dockerfile on standard input. */
const maximumSize = 16 * 1024 * 1024;

export default class Format extends Command {
  static override summary = 'Print Dockerfiles in one style that changes nothing of what they mean';
  static override args = {
    files: argument({ multiple: true, description: 'Dockerfiles, or - for standard input; Dockerfile unless given' }),
  };
  static override flags = {
    write: boolean({
      char: 'w',
      description: 'Rewrite the files, and print the names of those that changed',
      default: false,
      exclusive: ['check'],
    }),
    check: boolean({
      description: 'Print the names of files that are not in this style; exit status 1 if there are any',
      default: false,
    }),
    diff: boolean({ description: 'Print what changes, as a unified diff', default: false, exclusive: ['json'] }),
    json: jsonFlag,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Format);
    const files = args.files === undefined || args.files.length === 0 ? [defaultDockerfile()] : args.files;
    if (flags.write && files.includes('-')) throw new UsageError('standard input cannot be rewritten');
    const results: { readonly file: string; readonly changed: boolean }[] = [];
    const failures: unknown[] = [];
    for (const file of files) {
      this.interrupted.throwIfAborted();
      try {
        const { before, after } = await formatFile(file);
        const changed = before !== after;
        results.push({ file, changed });
        if (changed && flags.write) await rewriteFile(file, encodeText(after));
        if (!flags.json) this.#show({ file, before, after }, flags);
      } catch (error) {
        failures.push(error);
      }
    }
    if (flags.json) this.printJson(results);
    if (flags.check && results.some(({ changed }) => changed)) process.exitCode = 1;
    this.throwAll(failures);
  }

  #show({ file, before, after }: Formatted, flags: { write: boolean; check: boolean; diff: boolean }): void {
    if (flags.diff) process.stdout.write(encodeText(unifiedDiff(before, after, file)));
    else if (!flags.write && !flags.check) process.stdout.write(encodeText(after));
    else if (before !== after) this.print(escapeControls(file));
  }
}

interface Formatted {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

async function formatFile(file: string): Promise<Formatted> {
  const before = decodeText(file === '-' ? await readStandardInput(maximumSize) : await readDockerfile(file));
  try {
    return { file, before, after: format(parse(before, { name: file })) };
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    const { code, details, hint } = error;
    throw new DockerfileError(code, `${file}: ${error.message}`, { details, hint, cause: error });
  }
}

async function readDockerfile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UiError('FILE_UNREADABLE', `cannot read ${path}: ${reasonOf(error)}`, { cause: error });
  }
}
