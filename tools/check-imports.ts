/**
 * Holds the rooms to DESIGN's import list, and files to a size: `node tools/check-imports.ts [FOLDER]`.
 * Prints `file:line: what is wrong` and fails where something is.
 */
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

/** From the top down: a room may import rooms of later lines. */
const layers: readonly (readonly string[])[] = [
  ['bin'],
  ['cli', 'commands'],
  ['index'],
  ['ui'],
  ['build'],
  ['dockerfile', 'inspect', 'signing', 'container'],
  ['store', 'registry'],
  ['transports'],
  ['layer'],
  ['oci'],
  ['system'],
  // One brace with system in DESIGN; system's own errors extend SlipwayError.
  ['errors'],
];

/** Rooms, or folders in them, that may import less than their place allows. */
const narrow: readonly { readonly folder: string; readonly rooms: readonly string[]; readonly why: string }[] = [
  { folder: 'dockerfile', rooms: ['oci', 'errors'], why: 'dockerfile is pure: it imports only oci and errors' },
  {
    folder: 'registry/server',
    rooms: ['registry', 'oci', 'errors', 'system'],
    why: 'the embedded server stores through a Target that it is given',
  },
];

const longest = 450;

export interface Offence {
  /** Relative to the checked folder. */
  readonly file: string;
  readonly line: number;
  readonly problem: string;
}

/** Checks every TypeScript file under `root`/src. */
export function checkImports(root: string): Offence[] {
  const source = join(root, 'src');
  return globSync('**/*.ts', { cwd: source })
    .sort()
    .flatMap((file) => checkFile(source, file).map((offence) => ({ ...offence, file: join('src', file) })));
}

type Found = Omit<Offence, 'file'>;

function checkFile(source: string, file: string): Found[] {
  const text = readFileSync(join(source, file), 'utf8');
  const lines = text.split('\n').length - 1;
  const offences: Found[] =
    lines > longest ? [{ line: longest, problem: `${lines} lines; the limit is ${longest}` }] : [];
  for (const { specifier, line } of importsOf(text)) {
    const problem = problemOf(source, file, specifier);
    if (problem !== undefined) offences.push({ line, problem });
  }
  if (file.endsWith(`${sep}index.ts`) && roomOf(file) !== 'commands') offences.push(...logicIn(text));
  return offences;
}

/** Specifiers of static imports and exports (types too), dynamic imports and `import('…')` types. */
export function importsOf(text: string): { readonly specifier: string; readonly line: number }[] {
  // Comments become blanks, so that positions stay; `://` in a string is no comment.
  const code = text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, (comment) => comment.replace(/[^\n]/g, ' '));
  const pattern =
    /^\s*(?:import|export)\b[^'";]*?\bfrom\s*(['"])(?<from>[^'"]+)\1|^\s*import\s*(['"])(?<bare>[^'"]+)\3|\bimport\(\s*(['"`])(?<dynamic>[^'"`]+)\5/gm;
  return [...code.matchAll(pattern)].map((match) => {
    const { from, bare, dynamic } = match.groups ?? {};
    const specifier = from ?? bare ?? dynamic ?? '';
    const position = match.index + match[0].lastIndexOf(specifier);
    return { specifier, line: code.slice(0, position).split('\n').length };
  });
}

function problemOf(source: string, file: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const target = relative(source, resolve(source, dirname(file), specifier));
  if (target.startsWith('..')) return `imports '${specifier}' from outside src`;
  const [from, to] = [roomOf(file), roomOf(target)];
  const [own, other] = [layerOf(from), layerOf(to)];
  if (own === -1) return `src/${from} is no room of DESIGN`;
  if (other === -1) return `imports '${specifier}', which is in no room of DESIGN`;
  const rule = narrow.find(({ folder }) => file.startsWith(`${folder}${sep}`));
  if (rule !== undefined && from !== to && !rule.rooms.includes(to)) return `imports '${to}': ${rule.why}`;
  if (from === to) return undefined;
  if (own === other) return `imports '${to}': rooms in one brace do not import each other`;
  if (own > other) return `imports '${to}', which stands above '${from}'`;
  if (!isDoor(source, target, to)) return `imports '${specifier}': other rooms are entered through their index.ts`;
  return undefined;
}

/** A room is a folder of src, or a file in src itself (`errors.ts`, `index.ts`). */
function roomOf(file: string): string {
  return (file.split(sep)[0] ?? '').replace(/\.ts$/, '');
}

function layerOf(room: string): number {
  return layers.findIndex((layer) => layer.includes(room));
}

function isDoor(source: string, target: string, room: string): boolean {
  const path = join(source, room);
  return existsSync(path) && statSync(path).isDirectory() ? target === join(room, 'index.ts') : target === `${room}.ts`;
}

/** An index.ts only re-exports. */
function logicIn(text: string): Found[] {
  const rest = text
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/export\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s*from\s*['"][^'"]+['"];?/g, (found) =>
      found.replace(/[^\n]/g, ' '),
    );
  const position = rest.search(/\S/);
  return position === -1
    ? []
    : [{ line: rest.slice(0, position).split('\n').length, problem: 'index.ts only re-exports' }];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const offences = checkImports(process.argv[2] ?? dirname(import.meta.dirname));
  for (const { file, line, problem } of offences) process.stderr.write(`${file}:${line}: ${problem}\n`);
  process.exitCode = offences.length > 0 ? 1 : 0;
}
