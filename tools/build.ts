/**
 * Builds what is published: the bundle in dist/, its types, and oclif's manifest.
 * Run by Node itself: `node tools/build.ts`.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Plugin } from '@oclif/core/config';
import { build, type BuildOptions, type Plugin as EsbuildPlugin } from 'esbuild';
import { cjsNamesPlugin } from './cjs-names-plugin.ts';
import { startupPlugin } from './startup-plugin.ts';

const root = dirname(import.meta.dirname);
const dist = join(root, 'dist');

/** The library's entry points, by their name in dist. */
const library = { index: 'src/index.ts', dockerfile: 'src/dockerfile/index.ts' };
const workers = {
  layer: 'src/layer/worker.ts',
  store: 'src/store/worker.ts',
  build: 'src/build/worker.ts',
  registry: 'src/registry/worker.ts',
};

const common: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  // Only what is imported dynamically gets files of its own: a start that reads 35 small modules takes 20 ms longer than one
  // that reads a large one from the compile cache.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24.15',
  // CommonJS packages in an ES module bundle still call require for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);",
  },
  define: { SLIPWAY_BUNDLED: 'true' },
  external: ['koffi', '@koromix/*', 'typescript', 'ts-node'],
  legalComments: 'none',
  logLevel: 'warning',
};

/** Lets `npx slipway` in the checkout find its own command at once; npm links the commands of dependencies only. */
function linkCommand(): void {
  const link = join(root, 'node_modules', '.bin', 'slipway');
  if (!existsSync(dirname(link)) || lstatSync(link, { throwIfNoEntry: false }) !== undefined) return;
  symlinkSync('../../bin/slipway', link);
}

/** Three bundles that share no files, so that each is as few files as can be. */
async function bundle(): Promise<void> {
  for (const part of ['chunks', 'cli', 'commands', 'library', 'workers'])
    rmSync(join(dist, part), { recursive: true, force: true });
  const plugins = [cjsNamesPlugin, startupPlugin];
  await Promise.all([
    build({
      ...common,
      outdir: dist,
      entryPoints: { cli: allCommands },
      chunkNames: 'cli/[name]-[hash]',
      // A third less to read and to look up in the compile cache: 2 to 4 ms of every start. Names stay, for --debug.
      minifyWhitespace: true,
      minifySyntax: true,
      plugins: [commandsPlugin, ...plugins],
    }),
    build({ ...common, outdir: dist, entryPoints: library, chunkNames: 'library/[name]-[hash]', plugins }),
    build({ ...common, outdir: join(dist, 'workers'), entryPoints: workers, chunkNames: '[name]-[hash]', plugins }),
  ]);
  for (const [index, file] of commandFiles().entries()) writeCommand(file, index);
}

const allCommands = 'all-commands';

/** The CLI with all its commands as one module. */
const commandsPlugin: EsbuildPlugin = {
  name: 'commands',
  setup(build) {
    build.onResolve({ filter: new RegExp(`^${allCommands}$`) }, ({ path }) => ({ path, namespace: 'commands' }));
    build.onLoad({ filter: /.*/, namespace: 'commands' }, () => {
      const commands = commandFiles().map(
        (file, index) => `export { default as command${index} } from './src/commands/${file}';`,
      );
      return { contents: ["export { main } from './src/cli.ts';", ...commands].join('\n'), resolveDir: root };
    });
  },
};

function commandFiles(): string[] {
  return globSync('**/*.ts', { cwd: join(root, 'src/commands') }).sort();
}

/** What oclif finds where it looks for a command. */
function writeCommand(file: string, index: number): void {
  const path = join(dist, 'commands', file.replace(/\.ts$/, '.js'));
  mkdirSync(dirname(path), { recursive: true });
  const bundle = relative(dirname(path), join(dist, 'cli.js'));
  writeFileSync(path, `export { command${index} as default } from '${bundle}';\n`);
}

async function writeTypes(): Promise<void> {
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

linkCommand();
await Promise.all([bundle().then(writeManifest), writeTypes()]);
writeFileSync(join(dist, 'build.json'), `${JSON.stringify({ commit: commit() })}\n`);
