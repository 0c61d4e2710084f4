import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Architecture = 'x64' | 'arm64';

/** A file of the program, by its path below the package's folder. */
export interface ProgramFile {
  readonly path: string;
  readonly content: Buffer;
}

/** What the CLI needs of the built package: not the library, not the types, and one build of koffi. */
const patterns = ['LICENSE', 'bin/package.json', 'bin/slipway', 'oclif.manifest.json', 'dist/**/*.{js,json}'];
const libraryOnly = ['dist/{types,library,.cache}/**', 'dist/{index,dockerfile}.js'];

/** Fields of package.json that the CLI or Node reads. */
const manifestFields = ['name', 'version', 'description', 'license', 'type', 'engines', 'bin', 'oclif'] as const;

/**
 * The files that a single executable carries, sorted by path.
 * @param koffi the unpacked package of koffi's binary for `architecture`
 */
export function programFiles(root: string, architecture: Architecture, koffi: string): readonly ProgramFile[] {
  const platform = `linux-${architecture}`;
  const binary = `linux_${architecture}/koffi.node`;
  const inPackage = join('node_modules', '@koromix', `koffi-${platform}`);
  const files = [
    ...globSync(patterns, { cwd: root, exclude: libraryOnly }).map((path) => ({
      path,
      content: readFileSync(join(root, path)),
    })),
    { path: 'package.json', content: manifestOf(root) },
    ...['package.json', binary].map((path) => ({
      path: join(inPackage, path),
      content: readFileSync(join(koffi, path)),
    })),
  ];
  return files.sort((one, other) => (one.path < other.path ? -1 : 1));
}

function manifestOf(root: string): Buffer {
  const all = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
  return Buffer.from(`${JSON.stringify(Object.fromEntries(manifestFields.map((name) => [name, all[name]])))}\n`);
}

/** Of all paths and contents: two programs of one digest are the same. */
export function programDigest(files: readonly ProgramFile[]): string {
  const hash = createHash('sha256');
  for (const { path, content } of files) hash.update(`${path}\0${content.length}\0`).update(content);
  return hash.digest('hex');
}
