import type { Bar, Bench, Comparison, Contender, Job } from '../measure/index.ts';
import { bundled, pipeline, run, script } from '../places/index.ts';

const library = 'slipway: one layer, as the store does it';
const commit = 'buildah commit, then push to a layout';

/** Ours makes both digests on the way and waits for the disk; the pipelines do neither. */
export const packGzip6: Job = {
  name: 'pack-gzip-6',
  title: 'a tree of 20,000 files, 380 MB, packed at gzip 6',
  make: (bench) =>
    pack(bench, {
      ours: ['gzip', '6'],
      filters: { pigz: ['-6'] },
      limit: ['gzip', '-6'],
      bars: [{ to: 'tar c | pigz -6', figure: 'wall', atMost: 1.25 }],
    }),
};

export const packGzip4: Job = {
  name: 'pack-gzip-4',
  title: 'a tree of 20,000 files, 380 MB, packed at gzip 4',
  make: (bench) =>
    pack(bench, {
      ours: ['gzip', '4'],
      filters: { pigz: ['-4'] },
      commit: true,
      bars: [{ to: commit, figure: 'wall', atMost: 1 / 1.4 }],
    }),
};

export const packZstd: Job = {
  name: 'pack-zstd-3',
  title: 'a tree of 20,000 files, 380 MB, packed at zstd 3',
  make: (bench) =>
    pack(bench, {
      ours: ['zstd', '3'],
      filters: { zstd: ['-3', '-T0'] },
      limit: ['zstd', '-3', '-T1', '-q'],
      commit: true,
      bars: [{ to: commit, figure: 'wall', atMost: 1 / 4 }],
    }),
};

interface Packing {
  readonly ours: readonly [form: string, level: string];
  /** Programs that compress what tar writes. */
  readonly filters: Readonly<Record<string, readonly string[]>>;
  /** The same in one thread of a program that everybody has. */
  readonly limit?: readonly [string, ...string[]];
  readonly commit?: boolean;
  readonly bars: readonly Bar[];
}

async function pack(bench: Bench, packing: Packing): Promise<Comparison> {
  const { place, inputs, peers } = bench;
  const tree = place.path('tree');
  await inputs.unpack((await inputs.mixed()).tar, tree);
  const out = place.path('layer');
  const prepare = () => place.clear('layer', 'layer.headers', 'layout');
  const filtered = (role: 'peer' | 'limit', program: string, args: readonly string[]): Contender[] => {
    const filter = peers.call(program, ...args, '-c');
    if (filter === undefined) return [];
    const name = `tar c | ${[program, ...args].join(' ')}`;
    return [{ name, role, command: toFile(out, ['tar', '-cf', '-', '-C', tree, '.'], filter), prepare, output: out }];
  };
  const [limit, ...limitArgs] = packing.limit ?? [];
  return {
    subject: library,
    bars: packing.bars,
    contenders: [
      {
        name: 'tar c alone',
        role: 'limit',
        command: toFile(out, ['tar', '-cf', '-', '-C', tree, '.'], ['cat']),
        prepare,
      },
      ...(limit === undefined ? [] : filtered('limit', limit, limitArgs)),
      ...Object.entries(packing.filters).flatMap(([program, args]) => filtered('peer', program, args)),
      ...(packing.commit === true ? await buildahCommit(bench, tree, prepare) : []),
      { name: library, role: 'ours', command: await bundled('pack', tree, out, ...packing.ours), prepare, output: out },
    ],
  };
}

/** tar sees that /dev/null needs no bytes, hence a file; a pipe on the way in any case. */
function toFile(file: string, ...commands: readonly (readonly [string, ...string[]])[]): Contender['command'] {
  const [program, flag, text] = pipeline(...commands);
  return [program, flag ?? '', `{ ${text}; } > '${file}'`];
}

/**
 * The tree is in a container already; its layer is read, compressed and hashed. A commit compresses nothing unless it is told to: the
 * image is committed and then pushed, as its users do, or both in one pass.
 */
async function buildahCommit(
  { place, peers }: Bench,
  tree: string,
  prepare: () => Promise<void>,
): Promise<Contender[]> {
  const layout = `oci:${place.path('layout')}:latest`;
  const from = peers.buildah('from', '--name', 'packed', 'scratch');
  const add = peers.buildah('copy', '-q', 'packed', tree, '/');
  const store = peers.buildah('commit', '-q', 'packed', 'packed');
  const push = peers.buildah('push', '-q', 'packed', layout);
  const atOnce = peers.buildah('commit', '-q', '--disable-compression=false', 'packed', layout);
  if (from === undefined || add === undefined || store === undefined || push === undefined || atOnce === undefined)
    return [];
  await run(from, peers.env);
  await run(add, peers.env);
  const output = place.path('layout');
  const peer = { role: 'peer', env: peers.env, prepare, output } as const;
  const forget = peers.buildah('rmi', '-f', 'packed');
  const prepareStore = async () => {
    await prepare();
    if (forget !== undefined) await run(forget, peers.env).catch(() => undefined); // there is none the first time
  };
  return [
    { ...peer, name: commit, command: script(store, push), prepare: prepareStore },
    { ...peer, name: 'buildah commit to a layout, compressing', command: atOnce },
  ];
}
