import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { collect, type Descriptor, type Digest, mediaTypes } from '../../src/oci/index.ts';
import type { RootMount } from '../../src/system/index.ts';
import type { Store } from '../../src/store/index.ts';
import { scratchFolder } from './scratch-store.ts';

const child = fileURLToPath(new URL('mount-child.ts', import.meta.url));
const run = promisify(execFile);

/** Runs a shell script in a root, in a process whose mounts die with it. Returns nothing; fails with what it printed. */
export async function runIn(root: RootMount, script: string): Promise<void> {
  const target = scratchFolder();
  try {
    await run(process.execPath, [child, JSON.stringify(root), target, script]);
  } finally {
    fs.rmdirSync(target);
  }
}

export interface MadeLayer {
  readonly chainId: Digest;
  readonly diffId: Digest;
  readonly size: number;
}

/** A step: a writable view over `parent`, a script in it, the layer that came of it. */
export async function step(store: Store, parent: Digest | undefined, script: string): Promise<MadeLayer> {
  const active = await store.snapshots.prepare(parent);
  await runIn(active.root, script);
  // One time for all, so that layers made at different moments can be compared.
  const draft = await store.snapshots.diff(active, { clampTo: 1_600_000_000 });
  const chainId = await store.snapshots.commit(active, draft);
  return { chainId, diffId: draft.diffId, size: draft.size };
}

/** What `tar` lists of a layer: type, mode, owner, name, link. */
export async function listLayer(store: Store, layer: MadeLayer): Promise<readonly string[]> {
  const descriptor: Descriptor = { mediaType: mediaTypes.ociLayer, digest: layer.diffId, size: layer.size };
  const bytes = await collect(await store.content.fetch(descriptor), descriptor);
  const file = path.join(scratchFolder(), 'layer.tar');
  fs.writeFileSync(file, bytes);
  const { stdout } = await run('tar', ['--numeric-owner', '-tvf', file]);
  fs.rmSync(path.dirname(file), { recursive: true });
  return stdout.split('\n').filter(Boolean).map(shorten);
}

/** `-rw-r--r-- 0/0  3 2020-09-13 12:26 name` without size and time. */
function shorten(line: string): string {
  const match = /^(\S+) +(\S+) +\S+ +\S+ +\S+ (.*)$/.exec(line);
  return match === null ? line : `${match[1]} ${match[2]} ${match[3]}`;
}

export const baseScript = `
  umask 022
  mkdir -p a d/sub o
  echo x > a/x; echo y > a/y; echo 1 > d/1; echo 2 > d/2; echo 3 > d/sub/3; echo f > f; echo g > g
  ln -s f link; echo h > h1; ln h1 h2; mkfifo pipe; mknod null c 1 3
  echo keep > o/keep; echo gone > o/gone
`;

/** Name, script over `baseScript`'s tree, lines of the layer. */
export const changes: readonly (readonly [string, string, readonly string[]])[] = [
  ['nothing makes an empty layer', 'true', []],
  ['a new file', 'echo n > new', ['-rw-r--r-- 0/0 new']],
  ['a new file in a folder brings the folder', 'echo n > a/new', ['drwxr-xr-x 0/0 a/', '-rw-r--r-- 0/0 a/new']],
  ['new content', 'echo ff > f', ['-rw-r--r-- 0/0 f']],
  ['the same content again makes nothing', 'cp -p f t; cat t > f; touch -r t f; rm t', []],
  ['a deleted file', 'rm a/x', ['drwxr-xr-x 0/0 a/', '---------- 0/0 a/.wh.x']],
  ['a deleted folder', 'rm -r d', ['---------- 0/0 .wh.d']],
  ['a folder becomes a file', 'rm -r d; echo d > d', ['-rw-r--r-- 0/0 d']],
  ['a file becomes a folder', 'rm f; mkdir f; echo i > f/inside', ['drwxr-xr-x 0/0 f/', '-rw-r--r-- 0/0 f/inside']],
  [
    'a folder becomes a file and a folder again',
    'rm -r o; echo o > o; rm o; mkdir o; echo keep > o/other',
    ['drwxr-xr-x 0/0 o/', '---------- 0/0 o/.wh.gone', '---------- 0/0 o/.wh.keep', '-rw-r--r-- 0/0 o/other'],
  ],
  [
    'a folder emptied and filled anew',
    'rm -r d; mkdir d; echo 9 > d/2',
    ['drwxr-xr-x 0/0 d/', '---------- 0/0 d/.wh.1', '-rw-r--r-- 0/0 d/2', '---------- 0/0 d/.wh.sub'],
  ],
  ['a mode', 'chmod 4755 f', ['-rwsr-xr-x 0/0 f']],
  ['the mode of a folder', 'chmod 1777 a', ['drwxrwxrwt 0/0 a/']],
  ['an owner', 'chown 12:34 f', ['-rw-r--r-- 12/34 f']],
  ['the owner of a link', 'chown -h 12:34 link', ['lrwxrwxrwx 12/34 link -> f']],
  ['the time of a folder alone makes nothing', 'touch -d @1500000000 a', []],
  ['a file made and deleted makes nothing', 'echo t > a/t; rm a/t', []],
  ['the time of a file', 'touch -d @1500000000 f', ['-rw-r--r-- 0/0 f']],
  ['new hard links', 'echo n > n1; ln n1 n2', ['-rw-r--r-- 0/0 n1', 'hrw-r--r-- 0/0 n2 link to n1']],
  ['one of two hard links is written to', 'echo hh > h1', ['-rw-r--r-- 0/0 h1']],
  ['one of two hard links is deleted', 'rm h2', ['---------- 0/0 .wh.h2']],
  ['a new symbolic link', 'ln -s /etc/../a new', ['lrwxrwxrwx 0/0 new -> /etc/../a']],
  ['another target', 'ln -sfn g link', ['lrwxrwxrwx 0/0 link -> g']],
  ['a device', 'mknod zero c 1 5', ['crw-r--r-- 0/0 zero']],
  ['a deleted device', 'rm null pipe', ['---------- 0/0 .wh.null', '---------- 0/0 .wh.pipe']],
  [
    'a moved folder',
    'mv o p',
    ['---------- 0/0 .wh.o', 'drwxr-xr-x 0/0 p/', '-rw-r--r-- 0/0 p/gone', '-rw-r--r-- 0/0 p/keep'],
  ],
  ['a capability', 'setcap cap_net_raw+ep f', ['-rw-r--r-- 0/0 f']],
  [
    'a name that is no text',
    'n=$(printf "a/\\\\377\\\\n"); echo 1 > "$n"',
    ['drwxr-xr-x 0/0 a/', '-rw-r--r-- 0/0 a/\\377'],
  ],
];
