import { expect } from '@jest/globals';
import { chownSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { digestSelection } from '../../../src/build/copy/digest.ts';
import { selectSources } from '../../../src/build/copy/select.ts';
import type { TreeRef } from '../../../src/build/workshop/jobs.ts';
import { Workshop } from '../../../src/build/workshop/workshop.ts';
import { diffLayer } from '../../../src/layer/index.ts';
import { rootPrivileges } from '../../root-privileges.ts';
import { withOverlay } from '../../system/scratch.ts';
import { ScratchTree } from '../scratch.ts';

interface Case {
  readonly name: string;
  readonly below: Readonly<Record<string, string | null>>;
  readonly to: string;
  /** What the snapshot's own folder holds then. */
  readonly made: readonly string[];
}

const context = { 'context/a': 'new a', 'context/d/b': 'new b' };

const cases: readonly Case[] = [
  {
    name: 'a new folder',
    below: { etc: null },
    to: '/app/in',
    made: ['d755 app', 'd755 app/in', 'f644 app/in/a new a', 'd755 app/in/d', 'f644 app/in/d/b new b'],
  },
  {
    name: 'an empty folder, which keeps its mode and owner',
    below: { own: '|d750' },
    to: '/own',
    made: ['d750 own', 'f644 own/a new a', 'd755 own/d', 'f644 own/d/b new b'],
  },
  {
    name: 'a folder with other content, of which nothing is taken up',
    below: { 'app/d/c': 'old c', 'app/e': 'old e' },
    to: '/app',
    made: ['d755 app', 'f644 app/a new a', 'd755 app/d', 'f644 app/d/b new b'],
  },
  {
    name: 'a new folder behind a link',
    below: { real: null, link: '-> /real' },
    to: '/link/in',
    made: ['d755 real', 'd755 real/in', 'f644 real/in/a new a', 'd755 real/in/d', 'f644 real/in/d/b new b'],
  },
];

withOverlay.each(cases)('COPY . into $name', async ({ below, to, made }) => {
  const lower = Object.entries(below).map(([path, content]) => [`lower/${path}`, content]);
  using tree = new ScratchTree({ ...context, ...Object.fromEntries(lower), upper: null, work: null, scratch: null });
  const at = (name: string): string => join(tree.root, name);
  if ('own' in below) chownSync(at('lower/own'), 33, 33);
  await using workshop = new Workshop(rootPrivileges);
  const layers = { cwd: tree.root, lowers: ['lower'], upper: 'upper', work: 'work' };
  const root = { kind: 'overlay', ...layers, volatile: true, userXattr: false } as const;
  const active = { id: '1', parent: undefined, root, folder: at('upper'), driver: 'overlay', headerList: '' } as const;
  const layerOptions = { privileges: rootPrivileges, lowers: [at('lower')], headerList: at('headers') };
  const { digest, draft } = await workshop.run({
    kind: 'copy',
    place: { active, scratch: at('scratch') },
    selection: {
      sources: [{ kind: 'tree', tree: contextAt(at('context')), pattern: '.' }],
      parents: false,
      exclude: [],
    },
    destination: to,
    link: false,
    unpack: 'never',
    layer: { folder: at('upper'), options: layerOptions },
  });
  expect(digest).toBe(digestOf(at('context')));
  expect(tree.list().flatMap((row) => (row.includes(' upper/') ? [row.replace('upper/', '')] : []))).toEqual(made);
  expect(draft).toEqual(diffLayer(at('upper'), layerOptions));
  if ('own' in below) expect(lstatSync(at('upper/own'))).toMatchObject({ uid: 33, gid: 33 });
});

function contextAt(path: string): TreeRef {
  return { root: { kind: 'directory', path, readOnly: true }, resetOwner: true, label: 'the build context' };
}

function digestOf(root: string): string {
  return digestSelection(selectSources({ root, resetOwner: true, label: '' }, '.', { parents: false }));
}
