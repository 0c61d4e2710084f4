import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build, type BuildOptions, type BuildResult, type Plugin } from 'esbuild';

/** A bundle that is still in memory, split into as many chunks as there are ways to share modules. */
export type SplitBundle = BuildResult<{ write: false; metafile: true }>;

/** Files that are to be made of the chunks. */
export interface Joining {
  /** Where the files go, absolute; the chunks were made for the same folder. */
  readonly outdir: string;
  /**
   * For each file, by its path in `outdir` without `.js`, the entry points (source files) that it is made for. It holds all chunks
   * that these need and no earlier file holds; the exports of the first are the file's own.
   */
  readonly files: ReadonlyMap<string, readonly string[]>;
  readonly options: BuildOptions;
}

interface Chunk {
  readonly path: string;
  readonly text: string;
  readonly exports: readonly string[];
  readonly entryPoint: string | undefined;
  /** What it needs to be loaded before. */
  readonly needs: readonly string[];
}

interface Group {
  readonly file: string;
  readonly chunks: readonly Chunk[];
  readonly head: Chunk;
}

/**
 * Makes few files of the many chunks that esbuild splits a program into: reading 27 files instead of one takes 11 ms of every start.
 * An entry point that no file was asked for (a dynamic import) gets one of its own; where another was asked for, what esbuild
 * would have written becomes a file that passes its exports on.
 */
export async function joinChunks(bundle: SplitBundle, joining: Joining): Promise<void> {
  const chunks = chunksOf(bundle, joining.options.absWorkingDir ?? process.cwd());
  const groups = groupsOf(chunks, joining);
  const names = new Names(groups);
  await Promise.all(groups.map((group) => writeGroup(group, { chunks, names, joining })));
  for (const chunk of chunks.values()) if (chunk.entryPoint !== undefined) writeFacade(chunk, names);
}

function chunksOf({ outputFiles, metafile }: SplitBundle, root: string): Map<string, Chunk> {
  const texts = new Map(outputFiles.map(({ path, text }) => [path, text]));
  const outputs = Object.entries(metafile.outputs).map(([name, { exports, entryPoint, imports }]): Chunk => {
    const path = join(root, name);
    const needs = imports.filter(({ kind, external }) => kind === 'import-statement' && external !== true);
    return {
      path,
      text: texts.get(path) ?? '',
      exports,
      entryPoint,
      needs: needs.map((need) => join(root, need.path)),
    };
  });
  return new Map(outputs.map((chunk) => [chunk.path, chunk]));
}

function groupsOf(chunks: ReadonlyMap<string, Chunk>, { outdir, files }: Joining): Group[] {
  const entries = new Map(Array.from(chunks.values(), (chunk) => [chunk.entryPoint, chunk]));
  const taken = new Set<Chunk>();
  const groups: Group[] = [];
  const add = (file: string, heads: readonly Chunk[]): void => {
    const members = new Set<Chunk>();
    for (const head of heads) collect(head, { chunks, taken, into: members });
    const [head] = members;
    if (head !== undefined) groups.push({ file, chunks: [...members], head });
  };
  for (const [name, entryPoints] of files) {
    const heads = entryPoints.map((entryPoint) => {
      const chunk = entries.get(entryPoint);
      if (chunk === undefined) throw new Error(`${entryPoint} is no entry point`);
      return chunk;
    });
    add(join(outdir, `${name}.js`), heads);
  }
  for (const chunk of chunks.values())
    if (chunk.entryPoint !== undefined && !taken.has(chunk)) add(chunk.path, [chunk]);
  return groups;
}

interface Collecting {
  readonly chunks: ReadonlyMap<string, Chunk>;
  readonly taken: Set<Chunk>;
  readonly into: Set<Chunk>;
}

function collect(chunk: Chunk, { chunks, taken, into }: Collecting): void {
  if (taken.has(chunk)) return;
  taken.add(chunk);
  into.add(chunk);
  for (const need of chunk.needs) collect(must(chunks.get(need)), { chunks, taken, into });
}

/** How chunks and their exports are called from outside of their file. */
class Names {
  readonly #groups = new Map<Chunk, Group>();
  readonly #numbers = new Map<Chunk, number>();

  constructor(groups: readonly Group[]) {
    for (const group of groups) {
      for (const chunk of group.chunks) {
        this.#groups.set(chunk, group);
        this.#numbers.set(chunk, this.#numbers.size);
      }
    }
  }

  groupOf(chunk: Chunk): Group {
    return must(this.#groups.get(chunk));
  }

  /** `export { … } from` another place, under the names of the file or back. */
  outward(chunk: Chunk, from: string): string {
    return this.#passOn(chunk, { from, item: (name, outside) => `${name} as ${outside}` });
  }

  inward(chunk: Chunk, from: string): string {
    return this.#passOn(chunk, { from, item: (name, outside) => `${outside} as ${name}` });
  }

  /** The file of an entry point, for `import()`. */
  fileOf(chunk: Chunk): string {
    const { head, file } = this.groupOf(chunk);
    return chunk === head ? file : chunk.path;
  }

  #passOn(
    chunk: Chunk,
    { from, item }: { readonly from: string; readonly item: (name: string, outside: string) => string },
  ): string {
    const prefix = chunk === this.groupOf(chunk).head ? '' : `chunk${must(this.#numbers.get(chunk))}_`;
    const names = chunk.exports.map((name) => item(name, `${prefix}${name}`));
    return `export { ${names.join(', ')} } from ${JSON.stringify(from)};`;
  }
}

interface Writing {
  readonly chunks: ReadonlyMap<string, Chunk>;
  readonly names: Names;
  readonly joining: Joining;
}

async function writeGroup(group: Group, writing: Writing): Promise<void> {
  const { names, joining } = writing;
  const contents = group.chunks.map((chunk) => names.outward(chunk, chunk.path)).join('\n');
  await build({
    ...joining.options,
    splitting: false,
    stdin: { contents, resolveDir: joining.outdir },
    outfile: group.file,
    plugins: [chunkPlugin(group, writing)],
  });
}

/** Chunks of the same file are taken in, those of other files imported from there. */
function chunkPlugin(group: Group, { chunks, names }: Writing): Plugin {
  return {
    name: 'chunks',
    setup(build) {
      build.onResolve({ filter: /^[./]/ }, ({ path, kind, importer, namespace }) => {
        if (namespace === 'elsewhere') return { path, external: true };
        const chunk = chunks.get(path.startsWith('/') ? path : join(dirname(importer), path));
        if (chunk === undefined) return undefined;
        if (kind === 'dynamic-import') return { path: specifier(group.file, names.fileOf(chunk)), external: true };
        return names.groupOf(chunk) === group
          ? { path: chunk.path, namespace: 'chunk' }
          : { path: chunk.path, namespace: 'elsewhere' };
      });
      build.onLoad({ filter: /.*/, namespace: 'chunk' }, ({ path }) => ({
        contents: must(chunks.get(path)).text,
        loader: 'js',
      }));
      build.onLoad({ filter: /.*/, namespace: 'elsewhere' }, ({ path }) => {
        const chunk = must(chunks.get(path));
        return { contents: names.inward(chunk, specifier(group.file, names.groupOf(chunk).file)), loader: 'js' };
      });
    },
  };
}

function writeFacade(chunk: Chunk, names: Names): void {
  const { file } = names.groupOf(chunk);
  if (file === chunk.path) return;
  mkdirSync(dirname(chunk.path), { recursive: true });
  writeFileSync(chunk.path, `${names.inward(chunk, specifier(chunk.path, file))}\n`);
}

function specifier(from: string, to: string): string {
  const path = relative(dirname(from), to);
  return path.startsWith('.') ? path : `./${path}`;
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a chunk that is not there');
  return value;
}
