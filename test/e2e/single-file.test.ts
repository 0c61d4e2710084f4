import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, expect, it } from '@jest/globals';
import { busyboxBase } from './busybox-base.ts';
import { ordinaryUser, whyNoOrdinaryUser } from './ordinary-user.ts';
import { describeWith, succeed } from './peer-programs.ts';
import { runContainer } from './run-container.ts';
import { run, slipway, testHome } from './run-cli.ts';

const project = dirname(dirname(import.meta.dirname));
const name = `slipway-linux-${process.arch}`;
const versionLine = /^Slipway version \d+\.\d+\.\d+, build \w+\n$/;

let home: string;
let made: string;
let executable: string;

beforeAll(async () => {
  home = await testHome();
  await chmod(home, 0o755);
  made = join(home, 'made');
  const args = [join(project, 'tools', 'single-file.ts'), '--out', made, '--unpacked'];
  executable = (await succeed(process.execPath, args)).trim();
}, 120_000);

/** The only program folder in a cache. */
function programIn(cache: string): string {
  const [program, ...others] = readdirSync(cache).filter((entry) => /^\d/.test(entry));
  if (program === undefined || others.length > 0) throw new Error(`not one program in ${cache}`);
  return program;
}

describeWith([], 'the single file', () => {
  const start = (args: readonly string[], env: Readonly<Record<string, string>>, program = executable) =>
    run(program, args, { env: { PATH: '/usr/bin:/bin', SLIPWAY_ROOT: join(home, 'store'), ...env } });

  it('tells its version without unpacking anything', async () => {
    const cache = join(home, 'unused');
    const { code, stdout } = await start(['--version'], { XDG_CACHE_HOME: cache });
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(versionLine) });
    expect(existsSync(cache)).toBe(false);
  });

  it('has the digest that is written beside it', async () => {
    await succeed('sha256sum', ['--check', '--status', `${name}.sha256`], { cwd: made });
  });

  it('unpacks once, also when many start at once', async () => {
    const cache = join(home, 'at-once');
    const results = await Promise.all([1, 2, 3].map(() => start(['version'], { XDG_CACHE_HOME: cache })));
    for (const { code, stderr } of results) expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(readdirSync(join(cache, 'slipway'))).toEqual([programIn(join(cache, 'slipway'))]);
  });

  it("is docker's credential program by its other name", async () => {
    const link = join(home, 'docker-credential-slipway');
    await symlink(executable, link);
    const { code, stdout } = await start(['list'], { HOME: home }, link);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '{}\n' });
  });

  it('starts for a user that is in no table, as of `docker run --user`', async () => {
    const folder = join(home, 'unknown');
    const user = { uid: 54_321, gid: 54_321 };
    await mkdir(folder);
    await chown(folder, user.uid, user.gid);
    const { code, stderr } = await run(executable, ['version'], { env: { PATH: '/usr/bin:/bin', HOME: folder }, user });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  const noUser = whyNoOrdinaryUser();
  (noUser === undefined ? it : it.skip)(
    `goes on in an ordinary user's namespace${noUser === undefined ? '' : ` (${noUser})`}`,
    async () => {
      const user = await ordinaryUser();
      try {
        const folder = join(home, 'user');
        await mkdir(folder);
        await writeFile(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n');
        await chown(folder, user.uid, user.gid);
        const env = { PATH: '/usr/bin:/bin', HOME: folder };
        const built = await run(executable, ['build', '-t', 'made:1', folder], { env, user });
        expect(built).toMatchObject({ code: 0, stderr: expect.stringContaining('[1/1] COPY Dockerfile /') });
        const images = await run(executable, ['images', '--format', '{{.Repository}}'], { env, user });
        expect(images).toMatchObject({ code: 0, stdout: 'made\n' });
        expect(programIn(join(folder, '.cache', 'slipway'))).toBeTruthy();
      } finally {
        await user.remove();
      }
    },
  );
});

describeWith(['runc'], "Slipway's own image", () => {
  let rootfs: string;
  let base: readonly string[];
  /** Digest of the config, which names the contents of all layers. */
  let id: string;

  /** Debian's place is taken by busybox with this machine's libraries and two programs of util-linux. */
  async function standIn(): Promise<readonly string[]> {
    const context = join(home, 'base');
    const programs = ['/usr/bin/unshare', '/usr/bin/setpriv'];
    const needed = await Promise.all([executable, ...programs].map((file) => succeed('ldd', [file])));
    for (const file of new Set([...programs, ...(needed.join('').match(/\/lib\S*/g) ?? [])])) {
      await mkdir(join(context, dirname(file)), { recursive: true });
      await cp(file, join(context, file), { dereference: true });
    }
    await writeFile(join(context, 'Dockerfile'), 'FROM busybox\nCOPY --exclude=Dockerfile . /\n');
    const layout = join(home, 'base-layout');
    const output = `type=oci,tar=false,dest=${layout}`;
    await slipway(['build', '-q', '-o', output, ...(await busyboxBase(join(home, 'bb'))), context]);
    return ['--build-context', `debian:trixie-slim=oci-layout://${layout}`];
  }

  function buildImage(store: string, ...flags: readonly string[]): Promise<string> {
    const file = join(project, 'packaging', 'Dockerfile');
    const args = ['build', '-q', '--reproducible', '--build-arg', 'VERSION=1.2.3', ...base, '-f', file, ...flags, made];
    const env = { SLIPWAY_ROOT: join(home, store), SOURCE_DATE_EPOCH: '1700000000' };
    return slipway(args, { env });
  }

  /** A command in the image's own container; both of its outputs. */
  async function inContainer(...args: readonly string[]): Promise<string> {
    const volumes = { '/var/lib/slipway': join(home, 'volume'), '/work': join(home, 'context') };
    const env = ['PATH=/usr/local/bin:/usr/bin:/bin', 'HOME=/root', 'SLIPWAY_ROOT=/var/lib/slipway'];
    const options = { rootfs, work: join(home, 'bundles'), volumes, env, cwd: '/work' };
    const { code, stdout, stderr } = await runContainer(args, options);
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}\n${stdout}\n${stderr}`);
    return stdout + stderr;
  }

  beforeAll(async () => {
    base = await standIn();
    rootfs = join(home, 'rootfs');
    await mkdir(join(home, 'volume'));
    await mkdir(join(home, 'context'));
    await cp(join(home, 'bb'), join(home, 'context', 'bb'), { recursive: true });
    const lines = ['FROM busybox', 'RUN echo made > /file', 'COPY Dockerfile /', 'CMD ["cat", "/file"]', ''];
    await writeFile(join(home, 'context', 'Dockerfile'), lines.join('\n'));
    id = (await buildImage('store-1')).trim();
    await buildImage('store-1', '-o', `type=local,dest=${rootfs}`);
  }, 120_000);

  it('is built the same by a second build', async () => {
    expect((await buildImage('store-2')).trim()).toBe(id);
  });

  it('says what it is and what it runs', async () => {
    const shown = await slipway(['inspect', id], { env: { SLIPWAY_ROOT: join(home, 'store-1') } });
    const [{ Config }] = JSON.parse(shown) as [{ Config: unknown }];
    expect(Config).toMatchObject({
      Entrypoint: ['slipway'],
      Env: expect.arrayContaining(['SLIPWAY_ROOT=/var/lib/slipway']),
      Labels: { 'org.opencontainers.image.version': '1.2.3' },
      Volumes: { '/var/lib/slipway': {} },
    });
  });

  it('builds, lists and saves in a container without Node, with the program that it brings along', async () => {
    expect(await inContainer('slipway', '--version')).toMatch(versionLine);
    const flags = ['--build-context', 'busybox=oci-layout:///work/bb', '-t', 'made:1', '.'];
    expect(await inContainer('slipway', 'build', ...flags)).toContain('RUN steps are isolated by sandbox');
    expect(await inContainer('slipway', 'images', '--format', '{{.Repository}}:{{.Tag}}')).toBe('made:1\n');
    await inContainer('slipway', 'save', '-o', '/work/made.tar', 'made:1');
    expect(await succeed('tar', ['-tf', join(home, 'context', 'made.tar')])).toContain('manifest.json');
    expect(existsSync(join(rootfs, 'root', '.cache', 'slipway'))).toBe(false);
  });
});
