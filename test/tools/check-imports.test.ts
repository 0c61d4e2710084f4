import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { checkImports, importsOf } from '../../tools/check-imports.ts';

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

/** A tree with one index.ts a room, and these files over it. */
function tree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'check-imports-'));
  made.push(root);
  const rooms = [
    'build',
    'container',
    'dockerfile',
    'inspect',
    'layer',
    'oci',
    'registry',
    'store',
    'system',
    'transports',
    'ui',
  ];
  const all = {
    ...Object.fromEntries(rooms.map((room) => [`${room}/index.ts`, ''])),
    'errors.ts': '',
    'index.ts': '',
    ...files,
  };
  for (const [file, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, 'src', file)), { recursive: true });
    writeFileSync(join(root, 'src', file), text);
  }
  return root;
}

function offences(files: Readonly<Record<string, string>>): string[] {
  return checkImports(tree(files)).map(({ file, line, problem }) => `${file}:${line}: ${problem}`);
}

describe('checkImports', () => {
  it.each([
    ['a room below, through its door', { 'build/solve.ts': "import { x } from '../store/index.ts';" }],
    ['a room far below', { 'commands/ls.ts': "import { x } from '../oci/index.ts';" }],
    ['its own files', { 'oci/a.ts': "import { b } from './b.ts';", 'oci/b.ts': '' }],
    ['errors from anywhere', { 'system/error.ts': "import { SlipwayError } from '../errors.ts';" }],
    ['packages and Node', { 'oci/a.ts': "import { x } from 'node:fs';\nimport y from 'undici';" }],
    [
      'a Target, in the embedded server',
      { 'registry/server/app.ts': "import type { Target } from '../../oci/index.ts';" },
    ],
    [
      'in words only',
      { 'oci/a.ts': "// import { x } from '../build/index.ts'\n/*\nimport '../ui/index.ts'\n*/\nconst x = 1;" },
    ],
  ])('a file may import %s', (_, files: Record<string, string>) => {
    expect(offences(files)).toEqual([]);
  });

  it.each([
    ['a room above', 'oci/a.ts', "import { x } from '../layer/index.ts';", "imports 'layer', which stands above 'oci'"],
    ['its types', 'oci/a.ts', "import type { X } from '../ui/index.ts';", "imports 'ui', which stands above 'oci'"],
    [
      'it at run time',
      'store/a.ts',
      "const x = await import('../build/index.ts');",
      "imports 'build', which stands above 'store'",
    ],
    ['it for its effects', 'store/a.ts', "import '../build/index.ts';", "imports 'build', which stands above 'store'"],
    [
      'it to pass on',
      'store/a.ts',
      "export { x } from '../build/index.ts';",
      "imports 'build', which stands above 'store'",
    ],
    [
      'a room beside',
      'store/a.ts',
      "import { x } from '../registry/index.ts';",
      "imports 'registry': rooms in one brace do not import each other",
    ],
    [
      'by another door',
      'build/a.ts',
      "import { x } from '../store/database.ts';",
      "imports '../store/database.ts': other rooms are entered through their index.ts",
    ],
    [
      'more than oci from dockerfile',
      'dockerfile/a.ts',
      "import { x } from '../layer/index.ts';",
      "imports 'layer': dockerfile is pure: it imports only oci and errors",
    ],
    [
      'a store from the server',
      'registry/server/a.ts',
      "import { x } from '../../transports/index.ts';",
      "imports 'transports': the embedded server stores through a Target that it is given",
    ],
    [
      'files outside src',
      'oci/a.ts',
      "import { x } from '../../tools/build.ts';",
      "imports '../../tools/build.ts' from outside src",
    ],
    [
      'what is no room',
      'oci/a.ts',
      "import { x } from '../helpers/index.ts';",
      "imports '../helpers/index.ts', which is in no room of DESIGN",
    ],
  ])('a file may not import %s', (_, file, text, problem) => {
    expect(offences({ [file]: text })).toEqual([`src/${file}:1: ${problem}`]);
  });

  it('names the line of an import that spans several', () => {
    const text = "// first\nimport {\n  a,\n  b,\n} from '../layer/index.ts';\n";
    expect(offences({ 'oci/a.ts': text })).toEqual(["src/oci/a.ts:5: imports 'layer', which stands above 'oci'"]);
  });

  it('wants index.ts to re-export and do nothing else', () => {
    expect(
      offences({ 'oci/index.ts': "export * from './a.ts';\nexport type { B } from './b.ts';\nexport const x = 1;\n" }),
    ).toEqual(['src/oci/index.ts:3: index.ts only re-exports']);
  });

  it('wants files short', () => {
    expect(offences({ 'oci/a.ts': '\n'.repeat(451) })).toEqual(['src/oci/a.ts:450: 451 lines; the limit is 450']);
  });
});

it('importsOf is not misled by strings that hold a comment sign', () => {
  expect(importsOf("const url = 'http://x';\nimport { a } from './a.ts';").map(({ specifier }) => specifier)).toEqual([
    './a.ts',
  ]);
});
