/**
 * Makes the CLI one executable that needs no Node: `node tools/single-file.ts [--arch x64|arm64] [--out FOLDER] [--unpacked]`, after
 * `node tools/build.ts`. The same build gives the same bytes. With --unpacked the program that it unpacks is also put beside it, for
 * an image that brings it along. See docs/single-file.md.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildSync } from 'esbuild';
import { withNote } from './single-file/elf.ts';
import { lockedPackage } from './single-file/locked-package.ts';
import { type Architecture, programDigest, type ProgramFile, programFiles } from './single-file/program.ts';
import type { Program } from './single-file/unpacked-program.ts';

const root = dirname(import.meta.dirname);
/** What Node looks for in its own executable: a note of this name, and that this mark ends in 1. */
const noteName = 'NODE_SEA_BLOB';
const mark = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:';

/** In the blob, and in stack traces. */
const main = 'slipway.cjs';

/** Makes one executable; returns its path. */
async function makeSingleFile(architecture: Architecture, { out, unpacked }: Place): Promise<string> {
  const node = join(await lockedPackage(root, `node-linux-${architecture}`), 'bin', 'node');
  const files = programFiles(root, architecture, await lockedPackage(root, `@koromix/koffi-linux-${architecture}`));
  const program = programOf(files);
  const executable = withNote(switchedOn(readFileSync(node)), noteName, await preparedBlob(program, files));
  mkdirSync(out, { recursive: true });
  if (unpacked) writeProgram(join(out, `program-linux-${architecture}`), program, files);
  const path = join(out, `slipway-linux-${architecture}`);
  writeFileSync(`${path}.new`, executable, { mode: 0o755 });
  renameSync(`${path}.new`, path);
  const digest = createHash('sha256').update(executable).digest('hex');
  writeFileSync(`${path}.sha256`, `${digest}  slipway-linux-${architecture}\n`);
  return path;
}

interface Place {
  readonly out: string;
  readonly unpacked: boolean;
}

/** Files that everybody can read, and that are root's in an image. */
function writeProgram(folder: string, program: Program, files: readonly ProgramFile[]): void {
  rmSync(folder, { recursive: true, force: true });
  for (const { path, content } of files) {
    const to = join(folder, program.name, path);
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, content);
  }
}

/** What runs, and the files, in Node's own format, which is the same for all processors where no compiled code is in it. */
async function preparedBlob(program: Program, files: readonly ProgramFile[]): Promise<Buffer> {
  const work = mkdtempSync(join(tmpdir(), 'slipway-single-'));
  try {
    buildSync({
      entryPoints: [join(root, 'tools', 'single-file', 'launcher.ts')],
      outfile: join(work, main),
      bundle: true,
      format: 'cjs',
      platform: 'node',
      target: 'node24.15',
      minifyWhitespace: true,
      minifySyntax: true,
      define: { SLIPWAY_PROGRAM: JSON.stringify(program) },
    });
    const assets: Record<string, string> = {};
    for (const [index, { path, content }] of files.entries()) {
      assets[path] = `asset-${index}`;
      writeFileSync(join(work, assets[path]), content);
    }
    const config = { main, output: 'blob', disableExperimentalSEAWarning: true, assets };
    writeFileSync(join(work, 'config.json'), JSON.stringify(config));
    const node = join(await lockedPackage(root, `node-linux-${process.arch}`), 'bin', 'node');
    execFileSync(node, ['--experimental-sea-config', 'config.json'], {
      cwd: work,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return readFileSync(join(work, 'blob'));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function programOf(files: readonly ProgramFile[]): Program {
  const json = (path: string): Record<string, string> => {
    const file = files.find((each) => each.path === path);
    if (file === undefined) throw new Error(`${path} is missing: run \`node tools/build.ts\` first`);
    return JSON.parse(file.content.toString('utf8')) as Record<string, string>;
  };
  const { version = '' } = json('package.json');
  const { commit = 'unknown' } = json('dist/build.json');
  const digest = programDigest(files);
  return {
    version,
    commit,
    name: `${version}-${digest.slice(0, 16)}`,
    digest,
    files: files.map(({ path, content }) => [path, content.length]),
  };
}

/** Node's executable, told to look for the note. */
function switchedOn(node: Buffer): Buffer {
  const start = node.indexOf(`${mark}0`);
  if (start < 0 || node.indexOf(`${mark}0`, start + 1) >= 0)
    throw new Error('this Node cannot be made a single executable: its mark is not there exactly once');
  node.write('1', start + mark.length);
  return node;
}

function isArchitecture(name: string): name is Architecture {
  return name === 'x64' || name === 'arm64';
}

process.umask(0o022);
const { values } = parseArgs({
  options: {
    arch: { type: 'string', default: process.arch },
    out: { type: 'string', default: join(root, 'dist-single') },
    unpacked: { type: 'boolean', default: false },
  },
});
if (!isArchitecture(values.arch)) throw new Error(`no such architecture: ${values.arch} (x64, arm64)`);
const made = await makeSingleFile(values.arch, { out: resolve(values.out), unpacked: values.unpacked });
process.stdout.write(`${made}\n`);
