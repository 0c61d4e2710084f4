/**
 * Measures the promise of docs/reproducible.md: `node tools/measure-reproducible.ts [EXAMPLE…]`. Builds each example from several
 * clones, in several ways, each in a store of its own, and compares image ids and manifest digests. Needs root, mmdebstrap and
 * Debian's mirror; `node tools/build.ts` comes first. Ends with 1 where something differs; then both archives are kept.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { reachableProgram } from '../test/e2e/reachable-program.ts';

const project = dirname(import.meta.dirname);
const examples = ['node-web', 'c-program', 'python-report', 'static-site'];
/** What package managers leave and an example removes; a RUN without this is not reproducible. */
const removal = /(?<= \\\n) && rm -rf [^]*?alternatives\.log\n/g;

interface Variant {
  readonly name: string;
  readonly clone: 'first' | 'elsewhere/second' | 'of-the-user';
  readonly umask: string;
  readonly flags: readonly string[];
  readonly ordinary?: true;
}

const variants: readonly Variant[] = [
  { name: 'root, runc', clone: 'first', umask: '022', flags: ['--isolation=runc'] },
  { name: 'root, runc, other clone, umask 077', clone: 'elsewhere/second', umask: '077', flags: ['--isolation=runc'] },
  { name: 'root, sandbox', clone: 'elsewhere/second', umask: '077', flags: ['--isolation=sandbox', '--network=host'] },
  { name: 'rootless with subuids', clone: 'of-the-user', umask: '022', flags: ['--network=host'], ordinary: true },
];

interface Built {
  readonly id: string;
  readonly manifest: string;
  readonly seconds: number;
}

const work = mkdtempSync(join(process.env['SLIPWAY_TEST_DIR'] ?? tmpdir(), 'slipway-measure-'));
const user = makeUser();
let differs = false;
try {
  chmodSync(work, 0o755);
  mkdirSync(join(work, 'stores'));
  const { node, launcher } = await reachableProgram(work);
  const base = makeBase([node, launcher]);
  makeClones();
  const wanted = process.argv.slice(2);
  for (const example of wanted.length > 0 ? wanted : examples) {
    const built = variants.map((variant) => build(example, variant, { base, program: [node, launcher] }));
    const same = built.every(({ id, manifest }) => id === built[0]?.id && manifest === built[0]?.manifest);
    differs ||= !same;
    console.log(`${example}: ${same ? 'identical' : 'DIFFERENT'}`);
    built.forEach(({ id, manifest, seconds }, at) => {
      const numbers = `${id.slice(7, 19)}  ${manifest.slice(7, 19)}  ${seconds.toFixed(1).padStart(5)} s`;
      console.log(`  ${numbers}  ${variants[at]?.name}`);
    });
    console.log(`  without removing logs: ${verify(example, { base, program: [node, launcher] }).join(', ')}`);
  }
} finally {
  execFileSync('/usr/sbin/userdel', [user.name]);
  if (differs) console.log(`archives are in ${join(work, 'out')}`);
  rmSync(join(work, 'stores'), { recursive: true, force: true });
  if (!differs) rmSync(work, { recursive: true, force: true });
}
process.exitCode = differs ? 1 : 0;

/** A user with subordinate ids. */
function makeUser(): { readonly name: string; readonly uid: number; readonly gid: number } {
  const name = `slipway-measure-${process.pid}`;
  execFileSync('/usr/sbin/useradd', ['--no-create-home', '--shell', '/bin/sh', name]);
  const id = (flag: string): number => Number(execFileSync('/usr/bin/id', [flag, name], { encoding: 'utf8' }));
  return { name, uid: id('-u'), gid: id('-g') };
}

interface Tools {
  /** The flag that makes the base `debian:bookworm`. */
  readonly base: string;
  readonly program: readonly string[];
}

/** Imported once: an import has its own time, so that two of them are two images. */
function makeBase(program: Tools['program']): string {
  const folder = join(project, '.cache', 'debian-base');
  execFileSync(join(project, 'tools', 'make-debian-base.sh'), [folder], { stdio: 'inherit' });
  const env = { ...process.env, SLIPWAY_ROOT: join(work, 'stores', 'base') };
  const [node = '', launcher = ''] = program;
  execFileSync(node, [launcher, 'import', join(folder, 'base.tar'), 'debian:bookworm'], { env });
  execFileSync(node, [launcher, 'copy', 'store:debian:bookworm', `oci:${work}/base`], { env });
  execFileSync('chmod', ['-R', 'a+rX', join(work, 'base')]);
  return `--build-context=debian:bookworm=oci-layout://${work}/base`;
}

/** Clones of a repository that holds the examples: other paths, times and umasks. */
function makeClones(): void {
  const origin = join(work, 'origin');
  mkdirSync(origin);
  for (const name of examples) cpSync(join(project, 'examples', name), join(origin, name), { recursive: true });
  const git = ['-c', 'user.name=x', '-c', 'user.email=x@example.org'];
  execFileSync('git', ['init', '--quiet', origin]);
  execFileSync('git', ['-C', origin, 'add', '.']);
  execFileSync('git', ['-C', origin, ...git, 'commit', '--quiet', '-m', 'examples']);
  for (const { clone, umask, ordinary } of variants) {
    const folder = join(work, clone);
    const script = `umask ${umask}; [ -e "$2" ] || git clone --quiet "$1" "$2"; find "$2" -exec touch -d @$3 {} +`;
    const time = 1_000_000_000 + variants.findIndex((each) => each.clone === clone) * 100_000_000;
    execFileSync('/bin/sh', ['-c', script, 'sh', origin, folder, String(time)]);
    execFileSync('git', ['-C', folder, 'status', '--short'], { stdio: 'ignore' }); // its index knows the new times
    if (ordinary) execFileSync('chown', ['-R', `${user.uid}:${user.gid}`, folder]);
  }
}

function build(example: string, variant: Variant, { base, program }: Tools): Built {
  const own = join(work, 'out', variant.name.replaceAll(/\W+/g, '-'));
  const store = join(work, 'stores', variant.name.replaceAll(/\W+/g, '-'));
  for (const folder of [own, store]) mkdirSync(folder, { recursive: true });
  const identity = variant.ordinary ? { uid: user.uid, gid: user.gid } : {};
  if (variant.ordinary) for (const folder of [own, store]) execFileSync('chown', [`${user.uid}:${user.gid}`, folder]);
  const archive = join(own, `${example}.tar`);
  const iid = join(own, `${example}.id`);
  const flags = [
    '--reproducible',
    '--context-modes=git',
    '--no-cache',
    base,
    '--iidfile',
    iid,
    '-o',
    `type=oci,dest=${archive}`,
  ];
  const args = ['build', '--progress=plain', ...flags, ...variant.flags, join(work, variant.clone, example)];
  const begun = Date.now();
  const script = `umask ${variant.umask}; exec "$@"`;
  const result = spawnSync('/bin/sh', ['-c', script, 'sh', ...program, ...args], {
    env: { PATH: process.env['PATH'], HOME: own, SLIPWAY_ROOT: store },
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    ...identity,
  });
  if (result.status !== 0) throw new Error(`${example}, ${variant.name}: ${result.stderr}`);
  const index = JSON.parse(execFileSync('tar', ['-xOf', archive, 'index.json'], { encoding: 'utf8' })) as {
    readonly manifests: readonly { readonly digest: string }[];
  };
  const manifest = index.manifests[0]?.digest ?? 'none';
  return { id: readFileSync(iid, 'utf8'), manifest, seconds: (Date.now() - begun) / 1000 };
}

/** The files that --verify-reproducible names where the Dockerfile does not remove what package managers leave. */
function verify(example: string, { base, program }: Tools): readonly string[] {
  const context = join(work, 'first', example);
  const dockerfile = join(work, `${example}.Dockerfile`);
  const text = readFileSync(join(context, 'Dockerfile'), 'utf8');
  // What apt downloads and derives from it is no log: that is removed all the same.
  writeFileSync(dockerfile, text.replaceAll(removal, ' && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin\n'));
  const args = ['build', '-q', base, '--verify-reproducible', '-f', dockerfile, context];
  const [node = '', ...rest] = program;
  const env = { PATH: process.env['PATH'], HOME: work, SLIPWAY_ROOT: join(work, 'stores', 'verify') };
  const { stderr, status } = spawnSync(node, [...rest, ...args], { env, encoding: 'utf8' });
  const found = Array.from(stderr.matchAll(/^ {2}(\/.*): /gm), (match) => match[1] ?? '');
  return [`exit status ${status}`, ...new Set(found)];
}
