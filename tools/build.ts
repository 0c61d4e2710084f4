/**
 * Builds what is published: the bundle in dist/, its types, and oclif's manifest.
 * Run by Node itself: `node tools/build.ts`.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, lstatSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Plugin } from '@oclif/core/config';
import { build } from 'esbuild';
import { cjsNamesPlugin } from './cjs-names-plugin.ts';
import { startupPlugin } from './startup-plugin.ts';

const root = dirname(import.meta.dirname);
const dist = join(root, 'dist');

/** Entry points by their name in dist; those whose source does not exist are left out. */
const entries: Readonly<Record<string, string>> = {
  cli: 'src/cli.ts',
  index: 'src/index.ts',
  dockerfile: 'src/dockerfile/index.ts',
  'workers/layer': 'src/layer/worker.ts',
  'workers/store': 'src/store/worker.ts',
  'workers/build': 'src/build/worker.ts',
};

linkCommand();
await bundle();
await Promise.all([writeTypes(), writeManifest()]);
writeFileSync(join(dist, 'build.json'), `${JSON.stringify({ commit: commit() })}\n`);

/** Lets `npx slipway` in the checkout find its own command at once; npm links the commands of dependencies only. */
function linkCommand(): void {
  const link = join(root, 'node_modules', '.bin', 'slipway');
  if (!existsSync(dirname(link)) || lstatSync(link, { throwIfNoEntry: false }) !== undefined) return;
  symlinkSync('../../bin/slipway', link);
}

async function bundle(): Promise<void> {
  for (const part of ['chunks', 'commands', 'workers']) rmSync(join(dist, part), { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: { ...existingEntries(), ...commandEntries() },
    outdir: dist,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24.15',
    chunkNames: 'chunks/[name]-[hash]',
    // CommonJS packages in an ES module bundle still call require for Node's own modules.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);",
    },
    define: { SLIPWAY_BUNDLED: 'true' },
    external: ['koffi', '@koromix/*', 'typescript', 'ts-node'],
    plugins: [cjsNamesPlugin, startupPlugin],
    legalComments: 'none',
    keepNames: true,
    sourcemap: false,
    logLevel: 'warning',
  });
}

function existingEntries(): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).filter(([, source]) => existsSync(join(root, source))));
}

/** One file a command, so that a command loads nothing but what it needs. */
function commandEntries(): Record<string, string> {
  const files = globSync('src/commands/**/*.ts', { cwd: root }).sort();
  return Object.fromEntries(files.map((file) => [file.replace(/^src\//, '').replace(/\.ts$/, ''), file]));
}

async function writeTypes(): Promise<void> {
  if (!existsSync(join(root, 'src/index.ts'))) return;
  rmSync(join(dist, 'types'), { recursive: true, force: true });
  const { spawn } = await import('node:child_process');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const child = spawn(process.execPath, [tsc, '-p', 'tsconfig.types.json'], { cwd: root, stdio: 'inherit' });
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`tsc ended with ${code}`))));
  });
}

/** What `oclif manifest` writes, without the process it would cost. */
async function writeManifest(): Promise<void> {
  const plugin = new Plugin({
    root,
    type: 'core',
    ignoreManifest: true,
    errorOnManifestCreate: true,
    respectNoCacheDefault: true,
  });
  await plugin.load();
  const commands = Object.fromEntries(Object.entries(plugin.manifest.commands).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(
    join(root, 'oclif.manifest.json'),
    `${JSON.stringify({ ...plugin.manifest, commands }, undefined, 2)}\n`,
  );
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short=7', 'HEAD'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}
