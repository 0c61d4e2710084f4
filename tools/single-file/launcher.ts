/**
 * The main program of the single executable: bundled into it, and all that runs when only the version is asked for. Everything
 * else is the npm package's own launcher and bundle, in a folder that the first start unpacks.
 */
import { createRequire } from 'node:module';
import { basename, isAbsolute, join } from 'node:path';
import { cacheFolders, type Program, unpackedProgram } from './unpacked-program.ts';

/** Set when it is bundled: what `programDigest` says, and the size of each file. */
declare const SLIPWAY_PROGRAM: Program;

const entry = join('bin', 'slipway');

start();

function start(): void {
  // Node puts the executable where a script would be.
  const words = process.argv.slice(2);
  if (basename(process.argv0) === 'docker-credential-slipway') words.unshift('auth', 'helper');
  const { version, commit, name } = SLIPWAY_PROGRAM;
  if (words[0] === '--version' || words[0] === '-v') {
    process.stdout.write(`Slipway version ${version}, build ${commit}\n`);
    return;
  }
  // In a user namespace the same program goes on, from the folder that was found and checked outside of it.
  const given = words[0]?.endsWith(join('/', name, entry)) && isAbsolute(words[0]) ? words.shift() : undefined;
  let path: string;
  try {
    path = given ?? join(unpackedProgram(SLIPWAY_PROGRAM, cacheFolders(process.env)), entry);
  } catch (error) {
    process.stderr.write(`ERROR: ${(error as Error).message}\n`);
    process.exitCode = 125;
    return;
  }
  process.argv.splice(1, process.argv.length - 1, path, ...words);
  createRequire(path)(path);
}
