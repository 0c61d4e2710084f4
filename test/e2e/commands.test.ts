import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { leftovers } from './leftovers.ts';
import { ourRegistry, type OurRegistry } from './our-registry.ts';
import { describeWith, succeed } from './peer-programs.ts';
import { run, runCli, type RunOptions, slipway, testHome } from './run-cli.ts';

// Docker's words, columns and exit codes for the commands that look at images and take them away.

let home: string;
let registry: OurRegistry;
let id: string;
let base: string;
const dockerfile = 'FROM base:1\nCOPY one\ttwo /\nENV A="b  c"\nLABEL kind=test\nCMD ["/one"]\n';

describeWith([], 'commands', () => {
  beforeAll(async () => {
    home = await testHome();
    registry = await ourRegistry(home);
    const context = join(home, 'context');
    await mkdir(context);
    await writeFile(join(context, 'one'), '1\n');
    await writeFile(join(context, 'two'), 'two');
    await writeFile(join(context, 'three'), '3');
    await writeFile(join(context, 'Dockerfile'), dockerfile);
    await succeed('tar', ['-cf', join(home, 'base.tar'), '-C', join(home, 'context'), 'three']);
    base = (await slipway(['import', '-c', 'ENV X=y', join(home, 'base.tar'), 'base:1'])).trim();
    id = (await slipway(['build', '-q', '-t', 'app', '-t', 'team/app:v2', context])).trim();
    await slipway(['import', join(home, 'base.tar')]);
  }, 60_000);
  afterAll(async () => {
    await registry?.close();
  });

  /** Runs, and fails unless output, remarks and exit code are as said; `<ID>` and `<BASE>` stand for ids. */
  async function check(args: string, expected: Expected, options: RunOptions = {}): Promise<void> {
    const words = args.split(' ').map((word) => fill(word).replaceAll('␣', ' '));
    const { code, stdout, stderr } = await runCli(words, options);
    expect({ code, stderr }).toEqual({
      code: expected.code ?? 0,
      stderr: expect.stringMatching(expected.stderr ?? /^/),
    });
    if (typeof expected.stdout === 'string') expect(stdout).toBe(fill(expected.stdout));
    else expect(stdout).toMatch(expected.stdout ?? /^$/);
  }

  const fill = (text: string): string =>
    text
      .replaceAll('<ID>', id)
      .replaceAll('<ID12>', id.slice(7, 19))
      .replaceAll('<BASE>', base)
      .replaceAll('HOST', registry.host)
      .replaceAll('HOME', home);

  describe('that only look', () => {
    it.each<readonly [args: string, expected: Expected]>([
      // images
      [
        'images',
        {
          stdout:
            /^REPOSITORY {3}TAG {7}IMAGE ID {7}CREATED {1,20}SIZE\n<none> +<none> +[0-9a-f]{12} +(?:Less than a|\d) seconds? ago +\d/,
        },
      ],
      ['images app', { stdout: /^REPOSITORY.*\napp +latest +[0-9a-f]{12} +.* ago +[0-9.]+kB\n$/ }],
      ['images app:nosuch', { stdout: /^REPOSITORY {3}TAG {7}IMAGE ID {3}CREATED {3}SIZE\n$/ }],
      ['images -q app', { stdout: '<ID12>\n' }],
      ['images -q --no-trunc app', { stdout: '<ID>\n' }],
      ['images -q nosuch', { stdout: '' }],
      ['images --digests app', { stdout: /^REPOSITORY {3}TAG {7}DIGEST {4}IMAGE ID.*\napp +latest +<none> +/ }],
      ['images --format {{.Repository}}:{{.Tag}} --filter reference=*/*', { stdout: 'team/app:v2\n' }],
      ['images --format {{.Repository}}:{{.Tag}} team/*', { stdout: 'team/app:v2\n' }],
      ['images --format {{.ID}}|{{.Tag}} -f label=kind=test -f reference=app', { stdout: '<ID12>|latest\n' }],
      ['images -q -f label=kind=other', { stdout: '' }],
      ['images -q --no-trunc -f before=app base', { stdout: '<BASE>\n' }],
      ['images --format {{.Repository}} -f dangling=true', { stdout: '<none>\n' }],
      ['images --format {{.CreatedAt}} app', { stdout: /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC\n$/ }],
      ['images --format table␣{{.ID}}\\t{{.Tag}} app', { stdout: 'IMAGE ID       TAG\n<ID12>   latest\n' }],
      [
        'images --format json app',
        { stdout: /^\{.*"ID":"[0-9a-f]{12}".*"Repository":"app"|^\{.*"Repository":"app".*"ID":"[0-9a-f]{12}"/ },
      ],
      ['images --json app', { stdout: /^\[\n {2}\{\n {4}"Repository": "app"/ }],
      ['images -f nosuch=1', { code: 1, stderr: /invalid filter 'nosuch'/ }],
      [
        'images -f dangling',
        { code: 125, stderr: /invalid argument "dangling" for "-f, --filter" flag: bad format of filter/ },
      ],
      ['images a b', { code: 125, stderr: /requires at most 1 argument/ }],
      ['images --nosuch', { code: 125, stderr: /unknown flag: --nosuch/ }],
      ['images --format {{.Nosuch}}', { code: 1, stderr: /Nosuch/ }],
      // history
      [
        'history app',
        {
          stdout:
            /^IMAGE {10}CREATED +CREATED BY +SIZE {6}COMMENT\n[0-9a-f]{12} .* CMD \["\/one"\] +0B +buildkit.dockerfile.v0\n<missing> /,
        },
      ],
      ['history -q --no-trunc app', { stdout: '<ID>\n<missing>\n<missing>\n<missing>\n<missing>\n' }],
      [
        'history --format {{.CreatedBy}} app',
        { stdout: /^CMD \["\/one"\]\nLABEL kind=test\nENV A=b {2}c\nCOPY one two \/ # buildkit\n\n$/ },
      ],
      ['history --format {{.Comment}} base:1', { stdout: 'Imported from -\n' }],
      ['history --format {{.CreatedAt}} base:1', { stdout: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n$/ }],
      [
        'history --human=false --format {{.CreatedSince}}␣{{.Size}} base:1',
        { stdout: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \d+\n$/ },
      ],
      ['history nosuch', { code: 1, stderr: /No such image: nosuch:latest/ }],
      ['history', { code: 125, stderr: /requires 1 argument/ }],
      // inspect
      ['inspect -f {{.Id}} app', { stdout: '<ID>\n' }],
      ['inspect -f {{json␣.RepoTags}} <ID12>', { stdout: '["app:latest","team/app:v2"]\n' }],
      [
        'inspect -f {{.Config.Labels.kind}}{{range␣.Config.Env}}␣[{{.}}]{{end}} app',
        { stdout: 'test [PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin] [X=y] [A=b  c]\n' },
      ],
      ['inspect -f {{len␣.RootFS.Layers}}␣{{.RootFS.Type}}␣{{.Os}} app', { stdout: '2 layers linux\n' }],
      [
        'inspect app',
        { stdout: /^\[\n {4}\{\n {8}"Id": "sha256:[0-9a-f]{64}",\n {8}"RepoTags": \[\n {12}"app:latest"/ },
      ],
      ['inspect nosuch', { code: 1, stdout: '[]\n', stderr: /No such object: nosuch\n/ }],
      ['inspect --type image nosuch', { code: 1, stdout: '[]\n', stderr: /No such image: nosuch:latest\n/ }],
      ['inspect -f {{.Id}} nosuch app', { code: 1, stdout: '<ID>\n', stderr: /No such object: nosuch\n/ }],
      // layers
      ['layers app', { stdout: /^LAYER {5}DIFF ID +SIZE +CREATED BY\n0 .*\n1 .* COPY one two \/ # buildkit\n$/ }],
      ['layers app --layer 1', { stdout: /^MODE .*PATH\n-rw-r--r-- +0:0 +2 .*\/one\n-rw-r--r-- +0:0 +3 .*\/two\n$/ }],
      ['layers app /two', { stdout: /^LAYER .*PATH\n1 +-rw-r--r-- +0:0 +3 .*\/two\n$/ }],
      ['layers app --layer 2', { code: 1, stderr: /app has layers 0 to 1/ }],
      // system
      [
        'system df',
        {
          stdout:
            /^TYPE {12}TOTAL {5}ACTIVE {4}SIZE +RECLAIMABLE\nImages +3 +0 +[\d.]+kB +[\d.]+kB \(100%\)\nContainers +0 +0 +0B +0B\nLocal Volumes +0 +0 +0B +0B\nBuild Cache +\d+ +0 +\S+ +\S+\n$/,
        },
      ],
      [
        'system df --format {{.Type}}:{{.TotalCount}}',
        { stdout: /^Images:3\nContainers:0\nLocal Volumes:0\nBuild Cache:\d\n$/ },
      ],
      ['system nosuch', { code: 125, stderr: /unknown command: slipway system nosuch/ }],
      ['info --format {{.Images}}␣{{.Root}}', { stdout: '3 HOME/store\n' }],
      [
        'info',
        {
          stdout: /^Version: .*\nStore: .*\nImages: 3\nStorage Driver: (?:overlay|copy)\n/,
          stderr: /^(?:WARNING: .*\n)*$/,
        },
      ],
      ['version --format {{.Client.Os}}', { stdout: 'linux\n' }],
      ['--version', { stdout: /^Slipway version \S+, build \S+\n$/ }],
      ['nosuch', { code: 125, stderr: /unknown command: slipway nosuch/ }],
      // not there
      ['tag nosuch x', { code: 1, stderr: /No such image: nosuch:latest/ }],
      ['tag app Upper', { code: 1, stderr: /not an image name: "Upper": repository names are in lower case/ }],
      ['tag app x@<ID>', { code: 1, stderr: /^ERROR: refusing to create a tag with a digest reference\n$/ }],
      ['save nosuch', { code: 1, stderr: /No such image: nosuch:latest/ }],
      [
        'push nosuch',
        {
          code: 1,
          stdout: 'The push refers to repository [docker.io/library/nosuch]\n',
          stderr: /An image does not exist locally with the tag: nosuch/,
        },
      ],
      ['rmi nosuch', { code: 1, stderr: /No such image: nosuch:latest/ }],
      [
        'rmi <ID12>',
        {
          code: 1,
          stderr:
            /conflict: unable to delete [0-9a-f]{12} \(must be forced\) - image is referenced in multiple repositories/,
        },
      ],
      ['load -i HOME/nosuch.tar', { code: 1, stderr: /there is no file .*nosuch\.tar/ }],
      ['import HOME/context/one', { code: 1, stderr: /tar/ }],
      [
        'pull HOST/nosuch',
        { code: 1, stdout: 'Using default tag: latest\n', stderr: /^latest: Pulling from nosuch\n/ },
      ],
      ['login -u u -p p --password-stdin HOST', { code: 125, stderr: /--password and --password-stdin/ }],
      ['login --password-stdin HOST', { code: 125, stderr: /must provide --username with --password-stdin/ }],
      ['logout HOST', { stdout: 'Not logged in to HOST\n' }],
    ])('slipway %s', (args, expected) => check(args, expected));
  });

  describe('that change the store', () => {
    it('logs in and out of a registry', async () => {
      await check(
        'login -u me --password-stdin HOST',
        {
          stdout: 'Login Succeeded\n',
          stderr: /WARNING! Your (?:password is stored|credentials are stored) unencrypted/,
        },
        { input: 'secret\n' },
      );
      const config = await readFile(join(home, '.docker', 'config.json'), 'utf8');
      expect(JSON.parse(config)).toEqual({
        auths: { [registry.host]: { auth: Buffer.from('me:secret').toString('base64') } },
      });
      await check('whoami HOST', { stdout: 'me\n' });
      const known = /^Authenticating with existing credentials of me \(.*config\.json\)\n/;
      await check('login HOST', { stdout: 'Login Succeeded\n', stderr: known });
      const reply = JSON.parse(await slipway(['auth', 'get', registry.host], { env: { HOME: home } })) as unknown;
      expect(reply).toEqual({ ServerURL: registry.host, Username: 'me', Secret: 'secret' });
      const docker = join(dirname(dirname(import.meta.dirname)), 'bin', 'docker-credential-slipway');
      const asked = await run(docker, ['get'], {
        env: { PATH: process.env['PATH'], HOME: home },
        input: registry.host,
      });
      expect(JSON.parse(asked.stdout)).toEqual(reply);
      await check('logout HOST', { stdout: 'Removing login credentials for HOST\n' });
      await check('whoami HOST', { code: 1, stderr: /not logged in to 127/ });
      expect(await readFile(join(home, '.docker', 'config.json'), 'utf8')).not.toContain(registry.host);
    });

    it('saves nothing that a registry refuses, and shares what it saves with skopeo', async () => {
      const strict = createServer((request, response) => {
        const right = request.headers.authorization === `Basic ${Buffer.from('me:secret').toString('base64')}`;
        response.writeHead(right ? 200 : 401, right ? {} : { 'www-authenticate': 'Basic realm="strict"' }).end();
      });
      await once(strict.listen(0, '127.0.0.1'), 'listening');
      try {
        const host = `127.0.0.1:${(strict.address() as AddressInfo).port}`;
        const refused = {
          code: 1,
          stderr: /^ERROR: login attempt to http:.*\/v2\/ failed with status: 401 Unauthorized\nCheck the user name/,
        };
        await check(`login -u me --password-stdin ${host}`, refused, { input: 'wrong\n' });
        await check(`logout ${host}`, { stdout: `Not logged in to ${host}\n` });
        await check(`login -u me --password-stdin ${host}`, { stdout: 'Login Succeeded\n' }, { input: 'secret' });
        const authfile = join(home, '.docker', 'config.json');
        if (existsSync('/usr/bin/skopeo'))
          expect(await succeed('skopeo', ['login', '--get-login', '--authfile', authfile, host])).toBe('me\n');
        await check(`logout ${host}`, { stdout: `Removing login credentials for ${host}\n` });
      } finally {
        strict.close();
      }
    });

    it('tags, pushes, shows the digest, pulls and untags with docker’s lines', async () => {
      await check('tag app HOST/team/app:1', { stdout: '' });
      await check('push HOST/team/app:1', {
        stdout:
          /^The push refers to repository \[127\.0\.0\.1:\d+\/team\/app\]\n1: digest: sha256:[0-9a-f]{64} size: \d+\n$/,
        stderr: /^[0-9a-f]{12}: Preparing\n[0-9a-f]{12}: P/,
      });
      await check('push -q HOST/team/app:1', { stdout: /^127\.0\.0\.1:\d+\/team\/app@sha256:[0-9a-f]{64}\n$/ });
      await check('images --digests --format {{.Digest}} HOST/team/app', { stdout: /^sha256:[0-9a-f]{64}\n$/ });
      await check('pull HOST/team/app:1', {
        stdout:
          /^Digest: sha256:[0-9a-f]{64}\nStatus: Image is up to date for 127\.0\.0\.1:\d+\/team\/app:1\n127\.0\.0\.1:\d+\/team\/app:1\n$/,
        stderr: /^1: Pulling from team\/app\n/,
      });
      await check('rmi HOST/team/app:1', {
        stdout:
          /^Untagged: 127\.0\.0\.1:\d+\/team\/app:1\nUntagged: 127\.0\.0\.1:\d+\/team\/app@sha256:[0-9a-f]{64}\n$/,
      });
      await check('pull -q HOST/team/app:1', { stdout: 'HOST/team/app:1\n' });
      await check('rmi HOST/team/app:1', { stdout: /^Untagged: .*:1\nUntagged: .*@sha256:[0-9a-f]{64}\n$/ });
    });

    it('saves and loads through pipes', async () => {
      const archive = join(home, 'saved.tar');
      const other = { env: { SLIPWAY_ROOT: join(home, 'other') } };
      const pipe = '"$0" "$1" save app base:1 | SLIPWAY_ROOT="$2" "$0" "$1" load';
      const launcher = join(import.meta.dirname, '..', '..', 'bin', 'slipway');
      const env = { PATH: process.env['PATH'], HOME: home, SLIPWAY_ROOT: join(home, 'store') };
      const loaded = await succeed('/bin/sh', ['-c', pipe, process.execPath, launcher, other.env.SLIPWAY_ROOT], {
        env,
      });
      expect(loaded).toBe('Loaded image: app:latest\nLoaded image: base:1\n');
      await check('inspect -f {{.Id}} app', { stdout: '<ID>\n' }, other);
      await check(`save -o ${archive} <ID>`, { stdout: '' });
      await check(`load -q -i ${archive}`, { stdout: 'Loaded image ID: <ID>\n' }, other);
    });

    it('removes names, images, and goes on after what is not there', async () => {
      await check('tag base:1 base:2', { stdout: '' });
      await check('rmi base:2 nosuch:1 gone', {
        code: 1,
        stdout: 'Untagged: base:2\n',
        stderr: /^ERROR: No such image: nosuch:1\nERROR: No such image: gone:latest\n/,
      });
      await check('rmi -f <ID12>', { stdout: 'Untagged: app:latest\nUntagged: team/app:v2\nDeleted: <ID>\n' });
      await check('images -q --no-trunc app', { stdout: '' });
    });

    it('prunes what nothing needs', async () => {
      await check('prune', { stdout: '', code: 1, stderr: /terminal|WARNING! This will remove/ });
      await check('prune -f --no-build-cache', {
        stdout: /^Deleted Images:\ndeleted: sha256:[0-9a-f]{64}\n\nTotal reclaimed space: [\d.]+k?B\n$/,
      });
      await check('prune -f --no-build-cache', { stdout: 'Total reclaimed space: 0B\n' });
      await check('prune -af', {
        stdout:
          /^Deleted Images:\nuntagged: base:1\ndeleted: sha256:[0-9a-f]{64}\n\nDeleted build cache objects:\n(?:sha256:[0-9a-f]{64}\n)+\nTotal reclaimed space: [\d.]+k?B\n$/,
      });
      await check('images', { stdout: /^REPOSITORY.*\n$/ });
      await check('system df', { stdout: /Images +0 +0 +0B +0B\n[^]*Build Cache +0 +0 +0B +0B\n$/ });
    });

    it('leaves nothing behind', async () => {
      expect(await leftovers(home)).toEqual([expect.stringMatching(/^process \d+ .*registry serve/)]);
    });
  });
});

interface Expected {
  /** 0 unless given. */
  readonly code?: number;
  /** Nothing unless given. */
  readonly stdout?: string | RegExp;
  /** Anything unless given. */
  readonly stderr?: RegExp;
}
