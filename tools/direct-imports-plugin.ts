import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Plugin } from 'esbuild';

/**
 * Makes imports of a room's index.ts imports of the files behind it. To esbuild whoever imports the index imports all of the room,
 * so that every command would load every room that it takes a name from. Anything that cannot be read here stays as it is.
 */
export const directImportsPlugin: Plugin = {
  name: 'direct-imports',
  setup(build) {
    const files = new Map<string, Exports>();
    build.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, resolveDir }) => sourceFile(join(resolveDir, path)));
    build.onResolve({ filter: /^\/.*\/src\/.*\.ts$/ }, ({ path }) => sourceFile(path));
    build.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll(namedImport, (whole, names: string, from: string) => {
        const index = join(dirname(path), from);
        return basename(index) === 'index.ts' ? (direct(names, index, files) ?? whole) : whole;
      }),
      loader: 'ts',
    }));
  },
};

/** Ours only declare things: one of which nothing is used is not needed. */
const sourceFile = (path: string) => ({ path, sideEffects: false });

const namedImport = /^import \{([^{}]*)\} from '(\.[^']*\.ts)';$/gm;

interface Place {
  readonly file: string;
  readonly name: string;
}

/** What a file exports. */
interface Exports {
  readonly named: ReadonlyMap<string, Place>;
  /** The files of `export * from`. */
  readonly all: readonly string[];
}

/** On one line, so that other lines keep their numbers. Undefined where a name is not found. */
function direct(names: string, index: string, files: Map<string, Exports>): string | undefined {
  const imports: string[] = [];
  for (const { name, as } of listed(names)) {
    const place = find(index, name, files);
    if (place === undefined) return undefined;
    imports.push(`import { ${place.name} as ${as} } from ${JSON.stringify(place.file)};`);
  }
  return imports.join(' ') + '\n'.repeat(names.split('\n').length - 1);
}

/** `a, b as c, type D` without the types. */
function listed(names: string): { readonly name: string; readonly as: string }[] {
  const items = names.split(',').map((item) => item.trim());
  return items
    .filter((item) => item !== '' && !item.startsWith('type '))
    .map((item) => {
      const [name = '', as = name] = item.split(' as ');
      return { name, as };
    });
}

function find(file: string, name: string, files: Map<string, Exports>): Place | undefined {
  const { named, all } = exportsOf(file, files);
  const place = named.get(name);
  if (place !== undefined) return place.file === file ? place : find(place.file, place.name, files);
  for (const other of all) {
    const found = find(other, name, files);
    if (found !== undefined) return found;
  }
  return undefined;
}

function exportsOf(file: string, files: Map<string, Exports>): Exports {
  const known = files.get(file);
  if (known !== undefined) return known;
  const text = readFileSync(file, 'utf8');
  const named = new Map<string, Place>();
  for (const [, name = ''] of text.matchAll(declared)) named.set(name, { file, name });
  for (const [, names = '', from] of text.matchAll(reexported)) {
    for (const { name, as } of listed(names)) {
      named.set(as, from === undefined ? { file, name: as } : { file: join(dirname(file), from), name });
    }
  }
  const all = Array.from(text.matchAll(everything), ([, from = '']) => join(dirname(file), from));
  files.set(file, { named, all });
  return { named, all };
}

const declared = /^export (?:abstract |async )*(?:function\*?|class|const|let) (\w+)/gm;
const reexported = /^export \{([^{}]*)\}(?: from '(\.[^']*\.ts)')?;$/gm;
const everything = /^export \* from '(\.[^']*\.ts)';$/gm;
