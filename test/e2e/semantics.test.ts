import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyboxBase, whyNoBusyboxBase } from './busybox-base.ts';
import { leftovers } from './leftovers.ts';
import { runCli, slipway, testHome } from './run-cli.ts';

// The rules of docs/semantics.md that only a whole build shows, by their numbers: few builds, many looks at each.

interface Built {
  readonly config: {
    readonly config: Readonly<Record<string, unknown>>;
    readonly history: readonly { readonly created_by?: string; readonly empty_layer?: boolean }[];
    readonly rootfs: { readonly diff_ids: readonly string[] };
  };
  /** What each layer lists, lowest first: `-rw-r--r-- 0/0 f`, without times. */
  readonly layers: readonly (readonly string[])[];
}

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

jest.setTimeout(60_000); // several builds in a test, on machines with much else to do

const reason = whyNoBusyboxBase();

(reason === undefined ? describe : describe.skip)(`semantics${reason === undefined ? '' : ` (${reason})`}`, () => {
  let home: string;
  let context: string;
  let base: readonly string[];
  let builds = 0;

  beforeAll(async () => {
    home = await testHome();
    base = await busyboxBase(join(home, 'busybox'));
    context = join(home, 'context');
    mkdirSync(context);
    writeFileSync(join(context, 'f'), 'content', { mode: 0o644 });
    writeFileSync(join(context, 'passwd'), 'root:x:0:0::/:/bin/sh\nme:x:5:6::/:/bin/sh\n', { mode: 0o644 });
  });

  const build = async (lines: readonly string[], ...flags: readonly string[]): Promise<Built> => {
    const layout = join(home, `layout-${builds++}`);
    const output = `type=oci,tar=false,compression=uncompressed,dest=${layout}`;
    await slipway(['build', '-q', ...base, ...flags, '-o', output, '-f', '-', context], { input: lines.join('\n') });
    const blob = (digest: string) => join(layout, 'blobs/sha256', digest.slice(7));
    const read = <T>(path: string) => JSON.parse(readFileSync(path, 'utf8')) as T;
    const index = read<{ manifests: readonly { digest: string }[] }>(join(layout, 'index.json'));
    const manifest = read<Manifest>(blob(index.manifests[0]?.digest ?? ''));
    return {
      config: read(blob(manifest.config.digest)),
      layers: manifest.layers.map(({ digest }) => listed(blob(digest))),
    };
  };
  const listed = (tar: string): string[] => {
    const lines = execFileSync('tar', ['--numeric-owner', '-tvf', tar]).toString('utf8').split('\n').filter(Boolean);
    return lines.map((line) => line.replace(/^(\S+) (\S+) +(?:[0-9,]+) \S+ \S+ (.*)$/, '$1 $2 $3'));
  };

  describe('one image', () => {
    let image: Built;
    /** Layers of its own, by what made them. */
    const layerOf = (made: string): readonly string[] | undefined => {
      const history = image.config.history.filter((item) => item.empty_layer !== true);
      return image.layers[history.findIndex((item) => item.created_by?.includes(made))];
    };

    beforeAll(async () => {
      image = await build([
        'FROM busybox',
        'COPY nothing* /made-of-nothing/',
        'COPY passwd /etc/passwd',
        'COPY f /twice',
        'COPY f /./twice',
        'COPY --chown=me f /by-name/f',
        'COPY --chown=1234 f /by-number',
        'COPY --chown=:33 f /by-group',
        'USER me',
        'WORKDIR /w/a',
        'WORKDIR ./.',
        'WORKDIR /',
        'USER root',
        'RUN true',
        'VOLUME /v',
        'RUN mkdir -p /v && echo x > /v/kept && mkfifo /pipe && ln /v/kept /v/link && mkdir -m 2755 /setgid',
        'SHELL ["/bin/sh", "-ec"]',
        'HEALTHCHECK CMD true',
        'ONBUILD RUN x',
        'CMD ["a"]',
      ]);
    });

    it.each<[rule: string, made: string, layer: readonly string[]]>([
      ['7: a wildcard that finds nothing is an empty layer', 'made-of-nothing', []],
      ['43: a file that is copied again as it is is an empty layer', '/./twice', []],
      [
        '10: a name stands for its user and group, also for new parents',
        'by-name',
        ['drwxr-xr-x 5/6 by-name/', '-rw-r--r-- 5/6 by-name/f'],
      ],
      ['10: a number stands for both', 'by-number', ['-rw-r--r-- 1234/1234 by-number']],
      ['10: a group alone leaves the user', 'by-group', ['-rw-r--r-- 0/33 by-group']],
      ['16: WORKDIR makes folders of the user', 'WORKDIR /w/a', ['drwxr-xr-x 5/6 w/', 'drwxr-xr-x 5/6 w/a/']],
      ['21: RUN that changes nothing is an empty layer', 'true', []],
      [
        '25, 42: what is written to a volume is kept; links, pipes and parents are told',
        'mkfifo',
        [
          'prw-r--r-- 0/0 pipe',
          'drwxr-sr-x 0/0 setgid/',
          'drwxr-xr-x 0/0 v/',
          '-rw-r--r-- 0/0 v/kept',
          'hrw-r--r-- 0/0 v/link link to v/kept',
        ],
      ],
    ])('%s', (_rule, made, layer) => {
      expect(layerOf(made)).toEqual(layer);
    });

    it('16: WORKDIR makes a layer where the folder is there, and none for /', () => {
      const made = image.config.history.filter((item) => item.created_by?.startsWith('WORKDIR'));
      expect(made.map((item) => item.empty_layer === true)).toEqual([false, false, true]);
    });

    it('20, 21: history has an item for each instruction, and one with a layer for each layer', () => {
      const own = image.config.history.filter((item) => item.empty_layer !== true);
      expect(own).toHaveLength(image.layers.length);
      expect(image.config.history.some((item) => item.created_by === 'RUN /bin/sh -c true # buildkit')).toBe(true);
    });

    it('47: the config has what docker reads beyond the specification', () => {
      expect(image.config.config).toMatchObject({
        Healthcheck: { Test: ['CMD-SHELL', 'true'] },
        Shell: ['/bin/sh', '-ec'],
        OnBuild: ['RUN x'],
        ArgsEscaped: true,
      });
    });
  });

  it('B4: an owner that the image does not know is an error', async () => {
    const input = 'FROM busybox\nCOPY passwd /etc/passwd\nCOPY --chown=nosuch f /f\n';
    const { code, stderr } = await runCli(['build', '-q', ...base, '-f', '-', context], { input });
    expect([code, stderr]).toEqual([1, expect.stringContaining('nosuch')]);
  });

  it('37: with --link, an owner can only be a number', async () => {
    const input = 'FROM busybox\nCOPY passwd /etc/passwd\nCOPY --link --chown=me f /f\n';
    const { code, stderr } = await runCli(['build', '-q', ...base, '-f', '-', context], { input });
    expect([code, stderr]).toEqual([1, expect.stringContaining('me')]);
  });

  it('37: a layer of --link holds all that it needs, and is used again on another base', async () => {
    const lines = (value: string) => [
      'FROM busybox',
      `RUN mkdir -m 700 /d && echo ${value} > /d/base && ln -s d /link`,
      'COPY f /d/f',
      'COPY --link f /d/f',
      'COPY --link f /link/new/f',
    ];
    const first = await build(lines('1'));
    await new Promise((resolve) => setTimeout(resolve, 1100)); // folders that are made tell when
    const second = await build(lines('2'));
    expect(first.layers.slice(-2)).toEqual([
      ['drwxr-xr-x 0/0 d/', '-rw-r--r-- 0/0 d/f'],
      ['drwxr-xr-x 0/0 link/', 'drwxr-xr-x 0/0 link/new/', '-rw-r--r-- 0/0 link/new/f'],
    ]);
    const own = ({ config }: Built) => config.rootfs.diff_ids.slice(-2);
    expect(own(second)).toEqual(own(first));
  });

  it('37: what runs on a layer of --link sees it in its place', async () => {
    const lines = [
      'FROM busybox',
      'RUN mkdir /real && ln -s real /d',
      'COPY --link f /d/f',
      'RUN ls -d /d/* /real/* | tee /seen',
    ];
    const output = join(home, 'linked');
    const input = lines.join('\n');
    await slipway(['build', '-q', ...base, '-o', `type=local,dest=${output}`, '-f', '-', context], { input });
    expect(readFileSync(join(output, 'seen'), 'utf8')).toBe('/d/f\n');
  });

  it('49: an image without layers is as good as scratch', async () => {
    await slipway(['build', '-q', '-t', 'no-layers', '-'], { input: 'FROM scratch\nENV A=1\n' });
    const { layers, config } = await build(['FROM no-layers', 'COPY f /f']);
    expect([layers, config.config['Env']]).toEqual([[['-rw-r--r-- 0/0 f']], expect.arrayContaining(['A=1'])]);
  });

  it('51: --no-cache goes by content, --no-cache-filter by stage', async () => {
    const lines = ['a', 'b'].flatMap((name) => [`FROM busybox AS ${name}`, `RUN head -c 16 /dev/urandom > /${name}`]);
    const all = [...lines, 'FROM scratch', 'COPY --from=a /a /', 'COPY --from=b /b /', 'COPY f /'];
    const layersOf = async (...flags: readonly string[]) => (await build(all, ...flags)).config.rootfs.diff_ids;
    const first = await layersOf();
    const { atime, mtime } = statSync(join(context, 'f'));
    writeFileSync(join(context, 'f'), 'CONTENT');
    utimesSync(join(context, 'f'), atime, mtime);
    const filtered = await layersOf('--no-cache-filter=b');
    expect([filtered[0] === first[0], filtered[1] === first[1], filtered[2] === first[2]]).toEqual([
      true,
      false,
      false,
    ]);
    writeFileSync(join(context, 'f'), 'Content');
    utimesSync(join(context, 'f'), atime, mtime);
    const again = await layersOf('--no-cache');
    expect(again.every((layer) => !filtered.includes(layer))).toBe(true);
    writeFileSync(join(context, 'f'), 'content');
  });

  it('52: a step that fails gives its own status, and shows its line', async () => {
    const input = 'FROM busybox\nRUN exit 42\n';
    const { code, stderr } = await runCli(['build', ...base, '-f', '-', context], { input });
    expect([code, stderr]).toEqual([42, expect.stringMatching(/^ *2 \| >>> RUN exit 42$/m)]);
  });

  it('leaves nothing behind', async () => {
    rmSync(context, { recursive: true });
    expect(await leftovers(home)).toEqual([]);
  });
});
