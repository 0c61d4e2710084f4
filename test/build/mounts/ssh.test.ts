import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentSource } from '../../../src/build/mounts/ssh/agent.ts';
import { FrameReader, frame } from '../../../src/build/mounts/ssh/frames.ts';
import { parsePrivateKey } from '../../../src/build/mounts/ssh/private-key.ts';
import { agentSource, parseSsh } from '../../../src/build/mounts/ssh/request.ts';
import { AgentSocket } from '../../../src/build/mounts/ssh/serve.ts';

const reason = existsSync('/usr/bin/ssh-keygen') ? undefined : 'needs openssh-client';
const folder = mkdtempSync(join(tmpdir(), 'slipway-ssh-'));
afterAll(() => rmSync(folder, { recursive: true }));

const makeKey = (name: string, ...args: readonly string[]): string => {
  const path = join(folder, name);
  if (!existsSync(path)) execFileSync('ssh-keygen', ['-q', '-N', '', '-C', name, '-f', path, ...args]);
  return path;
};

describe('--ssh', () => {
  const cases: readonly (readonly [string, ReturnType<typeof parseSsh>])[] = [
    ['default', { id: 'default', paths: [] }],
    ['default=', { id: 'default', paths: [] }],
    ['github=/run/agent', { id: 'github', paths: ['/run/agent'] }],
    ['k=/a,/b', { id: 'k', paths: ['/a', '/b'] }],
  ];
  it.each(cases)('%s', (text, request) => expect(parseSsh(text)).toEqual(request));

  const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['default without an agent', ['default'], /SSH_AUTH_SOCK is not set/],
    ['a path that is not there', ['default=/nowhere'], /\/nowhere: there is no such socket or key/],
    ['a folder', ['default=/'], /\/: it is neither a socket nor a file/],
    ['a file that is no key', ['default=/etc/passwd'], /it is no private key/],
    ['a file without end', ['default=/dev/zero'], /it is neither a socket nor a file/],
  ];
  it.each(refused)('refuses %s', async (_, texts, message) => {
    await expect(agentSource('default', texts.map(parseSsh), {})).rejects.toMatchObject({
      code: 'SECRET_UNAVAILABLE',
      message: expect.stringMatching(message),
    });
  });

  it('knows nothing of an id that was not given', async () => {
    expect(await agentSource('other', [parseSsh('default=/nowhere')], {})).toBeUndefined();
  });
});

(reason === undefined ? describe : describe.skip)(`agents${reason === undefined ? '' : ` (${reason})`}`, () => {
  let agent: ReturnType<typeof spawn>;
  const real = join(folder, 'real');
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, mode: 0o600 };
  const serve = (source: AgentSource, name: string): Promise<AgentSocket> =>
    AgentSocket.open({ folder, name }, source, owner);
  /** Asynchronous: the agent that is asked answers from this very thread. */
  const ask = async (socket: string, args: readonly string[]): Promise<{ code: number; output: string }> => {
    const child = spawn(args[0] ?? '', args.slice(1), { env: { ...process.env, SSH_AUTH_SOCK: socket } });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => void (output += String(chunk)));
    const [code] = (await once(child, 'close')) as [number];
    return { code, output };
  };

  beforeAll(async () => {
    agent = spawn('ssh-agent', ['-D', '-a', real], { stdio: 'ignore' });
    while (!existsSync(real)) await new Promise((resolve) => setTimeout(resolve, 5));
    execFileSync('ssh-add', ['-q', makeKey('ed25519', '-t', 'ed25519')], {
      env: { SSH_AUTH_SOCK: real },
      stdio: 'ignore',
    });
  });
  afterAll(() => void agent.kill());

  it('are forwarded: keys are listed, and sign', async () => {
    await using socket = await serve({ kind: 'socket', path: real }, 'forwarded');
    expect(statSync(socket.path).mode & 0o777).toBe(0o600);
    const { output } = await ask(socket.path, ['ssh-add', '-L']);
    expect(output).toBe(readFileSync(`${makeKey('ed25519')}.pub`, 'utf8'));
    await expectSignature(socket.path, 'ed25519');
  });

  it('cannot be changed through the socket', async () => {
    await using socket = await serve({ kind: 'socket', path: real }, 'guarded');
    expect((await ask(socket.path, ['ssh-add', '-D'])).code).not.toBe(0);
    expect((await ask(socket.path, ['ssh-add', '-q', makeKey('more', '-t', 'ed25519')])).code).not.toBe(0);
    expect((await ask(real, ['ssh-add', '-l'])).output.trim().split('\n')).toHaveLength(1);
  });

  it('that are gone refuse', async () => {
    await using socket = await serve({ kind: 'socket', path: join(folder, 'gone') }, 'orphaned');
    expect((await ask(socket.path, ['ssh-add', '-L'])).code).not.toBe(0);
  });

  const kinds: readonly (readonly [string, readonly string[]])[] = [
    ['ed25519', ['-t', 'ed25519']],
    ['rsa', ['-t', 'rsa', '-b', '2048']],
    ['ecdsa-256', ['-t', 'ecdsa', '-b', '256']],
    ['ecdsa-384', ['-t', 'ecdsa', '-b', '384']],
    ['ecdsa-521', ['-t', 'ecdsa', '-b', '521']],
    ['rsa-pem', ['-t', 'rsa', '-b', '2048', '-m', 'PEM']],
    ['ecdsa-pem', ['-t', 'ecdsa', '-b', '256', '-m', 'PEM']],
    ['rsa-pkcs8', ['-t', 'rsa', '-b', '2048', '-m', 'PKCS8']],
  ];
  it.each(kinds)('of our own have keys of the kind %s, which sign', async (name, args) => {
    const path = makeKey(name, ...args);
    await using socket = await serve({ kind: 'keys', keys: [readFileSync(path)] }, `keys-${name}`);
    const { output } = await ask(socket.path, ['ssh-add', '-L']);
    expect(output.split(' ').slice(0, 2)).toEqual(readFileSync(`${path}.pub`, 'utf8').split(' ').slice(0, 2));
    await expectSignature(socket.path, name);
  });

  it('do not take a key with a passphrase', () => {
    const path = join(folder, 'locked');
    execFileSync('ssh-keygen', ['-q', '-N', 'passphrase', '-t', 'ed25519', '-f', path]);
    expect(() => parsePrivateKey(readFileSync(path))).toThrow('it has a passphrase');
  });

  it('leave a client that sends what is no message', async () => {
    await using socket = await serve({ kind: 'keys', keys: [readFileSync(makeKey('ed25519'))] }, 'hostile');
    const client = connect(socket.path);
    client.write(Buffer.concat([Buffer.of(0xff, 0xff, 0xff, 0xff), Buffer.alloc(100)]));
    await once(client, 'close');
    const cutOff = connect(socket.path);
    cutOff.write(frame(Buffer.of(13, 0, 0, 1)));
    const [answer] = (await once(cutOff, 'data')) as [Buffer];
    expect(new FrameReader().push(answer)).toEqual([Buffer.of(5)]);
    cutOff.destroy();
  });

  it('listen in folders whose path is longer than a socket’s address may be', async () => {
    const deep = join(folder, 'x'.repeat(150));
    mkdirSync(deep);
    const keys = [readFileSync(makeKey('ed25519'))];
    await using socket = await AgentSocket.open({ folder: deep, name: 'a' }, { kind: 'keys', keys }, owner);
    expect(statSync(socket.path).isSocket()).toBe(true);
  });

  async function expectSignature(socket: string, name: string): Promise<void> {
    const message = join(folder, `message-${name}`);
    const publicKey = join(folder, `${name}-alone.pub`); // without the private one beside it
    writeFileSync(message, 'text');
    writeFileSync(publicKey, readFileSync(`${join(folder, name)}.pub`));
    rmSync(`${message}.sig`, { force: true });
    const { code, output } = await ask(socket, [
      'ssh-keygen',
      '-q',
      '-Y',
      'sign',
      '-n',
      'file',
      '-f',
      publicKey,
      message,
    ]);
    expect({ code, output }).toEqual({ code: 0, output: expect.anything() });
    const signers = join(folder, `signers-${name}`);
    writeFileSync(signers, `me ${readFileSync(publicKey, 'utf8')}`);
    chmodSync(signers, 0o600);
    const verify = ['-Y', 'verify', '-n', 'file', '-I', 'me', '-f', signers, '-s', `${message}.sig`];
    expect(spawnSync('ssh-keygen', verify, { input: 'text' }).status).toBe(0);
  }
});
