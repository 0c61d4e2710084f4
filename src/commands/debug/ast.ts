import { readFile } from 'node:fs/promises';
import { string as argument } from '@oclif/core/args';
import { dump, encodeText, parse } from '../../dockerfile/index.ts';
import { UsageError } from '../../errors.ts';
import { Command, jsonFlag, readStandardInput } from '../../ui/index.ts';

/** Bytes of a Dockerfile on standard input. */
const maximumSize = 16 * 1024 * 1024;

export default class DebugAst extends Command {
  static override summary = 'Show how a Dockerfile is read: its instructions, one a line';
  static override args = {
    file: argument({ description: 'Dockerfile, or - for standard input', default: 'Dockerfile' }),
  };
  static override flags = { json: jsonFlag };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(DebugAst);
    const ast = parse(args.file === '-' ? await readStandardInput(maximumSize) : await readDockerfile(args.file), {
      name: args.file,
    });
    if (flags.json) this.printJson(ast);
    else process.stdout.write(encodeText(dump(ast)));
  }
}

async function readDockerfile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`cannot read ${path}: ${code ?? 'unknown error'}`, { cause: error, exitCode: 1 });
  }
}
