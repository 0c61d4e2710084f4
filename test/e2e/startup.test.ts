import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { busyboxBase, whyNoBusyboxBase } from './busybox-base.ts';
import { runCli } from './run-cli.ts';

let folder: string;

/** Tells at its end which files and which of Node's modules a process loaded, but for those that Node starts with. */
const watcher = `
import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
const before = new Set(process.moduleLoadList);
const files = [];
registerHooks({ load(url, context, next) { if (url.startsWith('file:')) files.push(url); return next(url, context); } });
process.on('exit', () => {
  const modules = process.moduleLoadList.filter((name) => !before.has(name) && /^NativeModule (?!internal)/.test(name));
  if (!process.getBuiltinModule('worker_threads').isMainThread) return;
  writeFileSync(process.env.LOADED, JSON.stringify({ files, modules: modules.map((name) => name.slice(13)) }));
});
`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'startup-'));
  writeFileSync(join(folder, 'watcher.mjs'), watcher);
  mkdirSync(join(folder, 'context'));
  writeFileSync(join(folder, 'context', 'Dockerfile'), 'FROM busybox\nCOPY Dockerfile /\nRUN true\n');
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Files as they are called below the package, and Node's modules. */
async function loadedBy(args: readonly string[]): Promise<{ readonly files: string[]; readonly modules: string[] }> {
  const report = join(folder, 'loaded.json');
  const env = { NODE_OPTIONS: `--import ${join(folder, 'watcher.mjs')}`, LOADED: report };
  const { code, stderr } = await runCli(args, { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { files, modules } = JSON.parse(readFileSync(report, 'utf8')) as { files: string[]; modules: string[] };
  return { files: files.map((file) => file.replace(/^.*\/(?=bin\/|dist\/)/, '')), modules };
}

/** What only some commands need and what takes long to load. */
const heavy = ['child_process', 'crypto', 'http', 'https', 'inspector', 'readline', 'tls', 'worker_threads', 'zlib'];

describe('what a command loads', () => {
  it('nothing of ours for the version', async () => {
    expect((await loadedBy(['--version'])).files).toEqual(['bin/slipway']);
  });

  it.each([
    { args: ['--help'], own: [] },
    { args: ['images', '--help'], own: ['dist/commands/images.js'] },
    { args: ['images'], own: ['dist/commands/images.js'] },
    { args: ['history', '--help'], own: ['dist/commands/history.js'] },
  ])('one file and its own name: $args', async ({ args, own }) => {
    await runCli(args); // which also makes the store
    const { files, modules } = await loadedBy(args);
    expect(['bin/slipway', 'dist/cli.js', ...own]).toEqual(expect.arrayContaining(files));
    expect(modules.filter((module) => heavy.includes(module))).toEqual([]);
  });

  const noBase = whyNoBusyboxBase();
  const withBase = noBase === undefined ? it : it.skip;
  const why = noBase === undefined ? '' : ` (${noBase})`;

  withBase(`three files for a build, and nothing that speaks to registries${why}`, async () => {
    const base = await busyboxBase(join(folder, 'base'));
    const build = ['build', '-q', ...base, join(folder, 'context')];
    await runCli(build);
    const { files, modules } = await loadedBy(build);
    const ours = ['bin/slipway', 'dist/cli.js', 'dist/commands/build.js', 'dist/cli/build.js', 'dist/cli/transfer.js'];
    expect(files.toSorted()).toEqual(ours.toSorted());
    expect(modules.filter((module) => ['http', 'https', 'tls', 'inspector', 'readline'].includes(module))).toEqual([]);
  });
});
