import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CredentialBook, Ecr, ecrHost } from '../../src/registry/index.ts';
import { run } from '../e2e/run-cli.ts';
import { describeWithNewer, newerPeer } from '../newer-peers.ts';
import { awsKey, type FakeEcr, fakeEcr } from './fake-ecr.ts';

describe('the host of a registry of ECR', () => {
  const account = '123456789012';
  it.each([
    [`${account}.dkr.ecr.us-west-2.amazonaws.com`, 'us-west-2', false],
    [`${account}.dkr.ecr-fips.us-gov-west-1.amazonaws.com`, 'us-gov-west-1', true],
    [`${account}.dkr.ecr.cn-north-1.amazonaws.com.cn`, 'cn-north-1', false],
    [`${account}.dkr.ecr.eusc-de-east-1.amazonaws.eu`, 'eusc-de-east-1', false],
    [`${account}.dkr-ecr.eu-central-1.on.aws`, 'eu-central-1', false],
    [`${account}.dkr-ecr.cn-northwest-1.on.amazonwebservices.com.cn`, 'cn-northwest-1', false],
    [`${account}.dkr.ecr.us-iso-east-1.c2s.ic.gov`, 'us-iso-east-1', false],
    [`${account}.dkr.ecr.us-isob-east-1.sc2s.sgov.gov`, 'us-isob-east-1', false],
    [`${account}.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk`, 'eu-isoe-west-1', false],
    [`${account}.dkr.ecr.us-isof-south-1.csp.hci.ic.gov`, 'us-isof-south-1', false],
    [`${account}.DKR.ECR.US-WEST-2.AMAZONAWS.COM`, 'us-west-2', false],
  ])('%s', (host, region, fips) => {
    expect(ecrHost(host)).toEqual({ kind: 'private', account, region, fips });
  });

  it.each(['public.ecr.aws', 'ecr-public.aws.com'])('%s', (host) => {
    expect(ecrHost(host)).toEqual({ kind: 'public', region: 'us-east-1' });
  });

  it.each([
    `${account}.dkr.ecr.us-west-2.amazonaws.com.example.com`,
    `${account}.dkr.ecr.us-west-2.amazonaws.com:5000`,
    `x${account}.dkr.ecr.us-west-2.amazonaws.com`,
    `${account}.dkr.ecr.us-west-2xamazonaws.com`,
    `${account}.dkr.ecr.a.b.amazonaws.com`,
    '12345.dkr.ecr.us-west-2.amazonaws.com',
    'x.public.ecr.aws',
    'docker.io',
  ])('is not %s', (host) => {
    expect(ecrHost(host)).toBeUndefined();
  });
});

describe('Amazon ECR', () => {
  const host = '123456789012.dkr.ecr.us-west-2.amazonaws.com';
  const query = { host, repository: 'team/app', purpose: 'push' } as const;
  const before = { ...process.env };
  let home: string;
  let ecr: FakeEcr;
  let now: number;
  let passwords: number;
  const clock = { now: () => now, sleep: async () => {}, random: () => 0 };

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'slipway-ecr-'));
    passwords = 0;
    now = Date.now();
    ecr = await fakeEcr({ password: () => `pw${++passwords}`, expiresAt: () => new Date(now + 12 * 3600_000) });
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: awsKey.accessKeyId,
      AWS_SECRET_ACCESS_KEY: awsKey.secretAccessKey,
      AWS_ENDPOINT_URL: ecr.server.url,
      AWS_REGION: 'eu-south-2',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: join(home, 'none'),
      AWS_SHARED_CREDENTIALS_FILE: join(home, 'none'),
      XDG_CACHE_HOME: join(home, 'cache'),
      HOME: home,
    });
  });
  afterEach(async () => {
    process.env = { ...before };
    await ecr.server.close();
    await rm(home, { recursive: true, force: true });
  });

  const folder = () => join(home, 'cache/slipway/ecr');
  const open = () => new Ecr({ clock });
  const hours = (count: number): void => void (now += count * 3600_000);

  it('gives a password, asked for in the region of the host and signed as Amazon wants it', async () => {
    expect(await open().find(query)).toEqual({ kind: 'basic', username: 'AWS', password: 'pw1' });
    expect(ecr.calls).toEqual([
      {
        action: 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken',
        region: 'us-west-2',
        service: 'ecr',
        body: { registryIds: ['123456789012'] },
      },
    ]);
  });

  it('keeps it for the next command, for the user alone, and renews it at half of its life', async () => {
    const first = open();
    await first.find(query);
    hours(5);
    expect(await first.find(query)).toMatchObject({ password: 'pw1' });
    expect(await open().find(query)).toMatchObject({ password: 'pw1' });
    hours(2);
    expect(await first.find(query)).toMatchObject({ password: 'pw2' });
    const [file = ''] = await readdir(folder());
    expect((await stat(join(folder(), file))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(folder(), file), 'utf8')).not.toContain(awsKey.secretAccessKey);
  });

  it('goes on with the old one while the service is away, and not after its end', async () => {
    await open().find(query);
    ecr.fail('ServerException');
    hours(7);
    expect(await open().find(query)).toMatchObject({ password: 'pw1' });
    hours(6);
    await expect(open().find(query)).rejects.toMatchObject({ code: 'CREDENTIALS' });
  });

  it('does not believe a file that others could have written, nor one of another key', async () => {
    await open().find(query);
    const [file = ''] = await readdir(folder());
    await chmod(join(folder(), file), 0o644);
    expect(await open().find(query)).toMatchObject({ password: 'pw2' });
    process.env['AWS_ACCESS_KEY_ID'] = 'AKIDSOMEBODYELSE';
    await expect(open().find(query)).rejects.toMatchObject({ message: expect.stringContaining('signature') });
  });

  it('keeps nothing where that is switched off', async () => {
    process.env['AWS_ECR_DISABLE_CACHE'] = 'true';
    await open().find(query);
    await expect(readdir(folder())).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('tells what to do without AWS credentials, for a push as an error and for a pull as a warning', async () => {
    delete process.env['AWS_ACCESS_KEY_ID'];
    const book = new CredentialBook({ environment: { variables: {}, home }, providers: [open()] });
    await expect(book.find(query)).rejects.toMatchObject({ hint: expect.stringContaining('AWS_PROFILE') });
    const warnings: string[] = [];
    const pull = { ...query, purpose: 'pull' } as const;
    expect(await book.find(pull, { warn: (text) => warnings.push(text) })).toBeUndefined();
    await book.find(pull, { warn: (text) => warnings.push(text) });
    expect(warnings).toHaveLength(1);
  });

  it('lets what the user configured go before it', async () => {
    await mkdir(join(home, '.docker'));
    const auth = Buffer.from('me:mine').toString('base64');
    await writeFile(join(home, '.docker/config.json'), JSON.stringify({ auths: { [host]: { auth } } }));
    const book = new CredentialBook({ environment: { variables: {}, home }, providers: [open()] });
    expect((await book.find(query))?.credential).toMatchObject({ username: 'me' });
    expect(ecr.calls).toEqual([]);
  });

  it('asks the public service in its one region, for pulls only where credentials are set up', async () => {
    const images = { host: 'public.ecr.aws', repository: 'a/b', purpose: 'pull' } as const;
    expect(await open().find(images)).toMatchObject({ password: 'pw1' });
    expect(ecr.calls[0]).toMatchObject({ region: 'us-east-1', service: 'ecr-public' });
    delete process.env['AWS_ACCESS_KEY_ID'];
    expect(await open().find(images)).toBeUndefined();
    expect(await open().find({ ...images, host: 'docker.io' })).toBeUndefined();
  });

  it('makes a repository once, and none for others', async () => {
    expect(await open().createRepository(host, 'team/app')).toBe(true);
    expect(await open().createRepository(host, 'team/app')).toBe(false);
    expect(await open().createRepository('public.ecr.aws', 'alias/app')).toBe(true);
    expect(await open().createRepository('docker.io', 'team/app')).toBe(false);
    expect(ecr.calls.map(({ service, body }) => [service, body])).toEqual([
      ['ecr', { registryId: '123456789012', repositoryName: 'team/app' }],
      ['ecr', { registryId: '123456789012', repositoryName: 'team/app' }],
      ['ecr-public', { repositoryName: 'app' }],
    ]);
    ecr.fail('AccessDeniedException');
    await expect(open().createRepository(host, 'x')).rejects.toMatchObject({
      hint: expect.stringContaining('permission'),
    });
  });

  it('does not wait for a service when it is told to stop', async () => {
    const stop = new AbortController();
    stop.abort(new Error('stopped'));
    await expect(open().find(query, stop.signal)).rejects.toThrow('stopped');
  });

  describeWithNewer(['docker-credential-ecr-login'], "and Amazon's own program", () => {
    it('get the same from the same service, and it is asked where it is configured', async () => {
      process.env['AWS_ECR_DISABLE_CACHE'] = 'true';
      const { stdout, code, stderr } = await run(newerPeer('docker-credential-ecr-login'), ['get'], {
        input: host,
      });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).toMatchObject({ Username: 'AWS', Secret: 'pw1' });
      await mkdir(join(home, '.docker'));
      await writeFile(join(home, '.docker/config.json'), JSON.stringify({ credHelpers: { [host]: 'ecr-login' } }));
      process.env['PATH'] = `${join(newerPeer('docker-credential-ecr-login'), '..')}:${process.env['PATH']}`;
      const book = new CredentialBook({ environment: { variables: {}, home }, providers: [open()] });
      expect(await book.find(query)).toEqual({
        credential: { kind: 'basic', username: 'AWS', password: 'pw2' },
        place: 'docker-credential-ecr-login',
      });
      const [theirs, again] = ecr.calls;
      await open().find(query);
      expect([theirs, again]).toEqual([ecr.calls[2], ecr.calls[2]]);
    });
  });
});
