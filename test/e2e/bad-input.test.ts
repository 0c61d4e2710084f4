import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dir, file, symlink, tar } from '../layer/tar-builder.ts';
import { reply, type ScriptedServer } from '../registry/scripted-server.ts';
import { busyboxBase } from './busybox-base.ts';
import { leftovers } from './leftovers.ts';
import { type MadeImage, makeImage, type Send, serveImage, writeLayout } from './made-image.ts';
import { processOf } from './process-of.ts';
import { run, type RunResult, runCli, slipway, testHome } from './run-cli.ts';

const isRoot = process.getuid?.() === 0;
const rootDescribe = isRoot ? describe : describe.skip;
const needsRoot = isRoot ? '' : ' (needs root)';
const isolations = ['runc', 'sandbox'].filter((name) => name !== 'runc' || existsSync('/usr/sbin/runc'));

let home: string;
let busybox: readonly string[];

beforeAll(async () => {
  home = await testHome();
  busybox = await busyboxBase(join(home, 'busybox'));
  const context = join(home, 'context');
  await mkdir(context);
  await mkdir(join(home, 'bare'));
  await writeFile(join(context, 'there'), 'x');
  await writeFile(join(context, 'hidden'), 'x');
  await writeFile(join(context, '.dockerignore'), 'hidden\n');
});

/** Builds in `home`, where relative names of outputs lie. */
function build(dockerfile: string, flags: readonly string[] = []): Promise<RunResult> {
  return runCli(['build', ...busybox, ...flags, '-f', '-', 'context'], { cwd: home, input: dockerfile });
}

/** One screen, no stack, no words of success; nothing is left behind. */
async function expectClearEnd(result: RunResult, code: number, messages: readonly (string | RegExp)[]): Promise<void> {
  expect({ ...result, stderr: '' }).toEqual({ code, signal: null, stdout: '', stderr: '' });
  for (const message of messages) expect(result.stderr).toMatch(message);
  expect(result.stderr).toMatch(/(^|\n)ERROR: /);
  expect(result.stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(30);
  expect(result.stderr).not.toMatch(/\n\s+at |exporting to image|not an error that Slipway expected/);
  expect(await leftovers(home)).toEqual([]);
  expect((await readdir(home)).filter((name) => name.startsWith('out.'))).toEqual([]);
}

interface BadBuild {
  readonly name: string;
  readonly dockerfile: string;
  readonly flags?: readonly string[];
  readonly code?: number;
  readonly says: readonly (string | RegExp)[];
}

describe('a Dockerfile or flag that is wrong', () => {
  const cases: readonly BadBuild[] = [
    { name: 'no instructions', dockerfile: '', says: ['ERROR: file with no instructions\n'] },
    { name: 'comments alone', dockerfile: '# nothing\n\n', says: ['ERROR: file with no instructions\n'] },
    {
      name: 'an unknown instruction',
      dockerfile: 'FROM busybox\nCPOY a b\n',
      says: ['line 2: unknown instruction: CPOY (did you mean COPY?)', '   2 | >>> CPOY a b\n'],
    },
    {
      name: 'no build argument for FROM',
      dockerfile: 'ARG BASE\nFROM $BASE\n',
      says: ['base name ($BASE) should not be blank', '   2 | >>> FROM $BASE\n', 'ARG that FROM uses'],
    },
    {
      name: 'an unknown target',
      dockerfile: 'FROM busybox AS base\n',
      flags: ['--target', 'bsae'],
      says: ['target stage "bsae" could not be found (did you mean base?)'],
    },
    {
      name: 'an unknown flag',
      dockerfile: 'FROM busybox\n',
      flags: ['--nope'],
      code: 125,
      says: ['ERROR: unknown flag: --nope\n', "See 'slipway build --help'.\n"],
    },
    {
      name: 'an unknown kind of output',
      dockerfile: 'FROM busybox\n',
      flags: ['-o', 'type=zip,dest=out.zip'],
      code: 125,
      says: ['unknown type "zip"', 'types are oci, docker, tar, local, registry, image'],
    },
    {
      name: 'an output without a place',
      dockerfile: 'FROM busybox\n',
      flags: ['-o', 'type=tar'],
      code: 125,
      says: ['invalid output "type=tar": tar needs dest='],
    },
    {
      name: 'a name that is none',
      dockerfile: 'FROM busybox\n',
      flags: ['-t', 'UPPER:x'],
      says: ['"UPPER:x": repository names are in lower case', 'did you mean upper:x?'],
    },
    {
      name: 'a layout that is not there',
      dockerfile: 'FROM base\n',
      flags: ['--build-context', 'base=oci-layout://nowhere'],
      says: [/nowhere is not an OCI layout/],
    },
    {
      name: 'a registry that does not answer',
      dockerfile: 'FROM 127.0.0.1:1/base\n',
      says: ['cannot connect to 127.0.0.1:1 (ECONNREFUSED)', 'Is the registry running'],
    },
  ];

  it.each(cases)('$name', async ({ dockerfile, flags, code = 1, says }) => {
    await expectClearEnd(await build(dockerfile, flags), code, says);
  });

  it('a context without a Dockerfile', async () => {
    const result = await runCli(['build', join(home, 'bare')]);
    await expectClearEnd(result, 1, ['failed to read dockerfile: open Dockerfile: no such file', `${home}/bare`]);
  });

  it('a context that is not there', async () => {
    await expectClearEnd(await runCli(['build', join(home, 'nowhere')]), 1, [`path "${home}/nowhere" not found`]);
  });
});

rootDescribe(`a step that fails${needsRoot}`, () => {
  const cases: readonly BadBuild[] = [
    {
      name: 'COPY of a file that is not there',
      dockerfile: 'FROM busybox\nCOPY missing /\n',
      says: ['"/missing": not found in the build context', '   2 | >>> COPY missing /\n'],
    },
    {
      name: 'COPY of a file that .dockerignore hides',
      dockerfile: 'FROM busybox\nCOPY hidden /\n',
      says: ['"/hidden": not found', '.dockerignore excludes it: add a line "!hidden"', '>>> COPY hidden /\n'],
    },
    {
      name: 'COPY from above the context',
      dockerfile: 'FROM busybox\nCOPY ../busybox/index.json /\n',
      says: ['"/busybox/index.json": not found in the build context'],
    },
    {
      name: 'RUN as a user that the image does not know',
      dockerfile: 'FROM busybox\nUSER nobody-knows\nRUN true\n',
      says: ['unable to find user nobody-knows', '   3 | >>> RUN true\n'],
    },
    ...isolations.flatMap((isolation): readonly BadBuild[] => [
      {
        name: `RUN that fails, with ${isolation}`,
        dockerfile: 'FROM busybox\nENV A=1\nRUN echo to stdout; \\\n  echo to stderr >&2; exit 42\nENV B=2\n',
        flags: ['--isolation', isolation],
        code: 42,
        says: [
          'did not complete successfully: exit code: 42\n',
          /------\n > \[2\/2\] RUN echo to stdout;.*:\n(to stdout\nto stderr|to stderr\nto stdout)\n------\n/,
          '   3 | >>> RUN echo to stdout; \\\n   4 | >>>   echo to stderr >&2; exit 42\n',
        ],
      },
      {
        name: `RUN whose output files must not appear, with ${isolation}`,
        dockerfile: 'FROM busybox\nRUN false\n',
        flags: ['--isolation', isolation, '-o', 'type=tar,dest=out.tar', '--iidfile', 'out.iid', '-t', 'never'],
        says: ['exit code: 1\n'],
      },
      {
        name: `RUN of a program that is not there, with ${isolation}`,
        dockerfile: 'FROM busybox\nRUN ["nowhere-to-be-found"]\n',
        flags: ['--isolation', isolation],
        code: 127,
        says: [/nowhere-to-be-found"?: .*not found/],
      },
    ]),
  ];

  it.each(cases)('$name', async ({ dockerfile, flags, code = 1, says }) => {
    await expectClearEnd(await build(dockerfile, flags), code, says);
    expect((await runCli(['inspect', 'never'])).code).toBe(1);
  });

  it.each(isolations)('RUN killed by a signal, with %s', async (isolation) => {
    const marker = `${1000 + isolation.length}.${process.pid}`;
    const building = build(`FROM busybox\nRUN exec sleep ${marker}\n`, ['--isolation', isolation]);
    process.kill(await processOf(`sleep ${marker}`), 'SIGKILL');
    await expectClearEnd(await building, 137, ['exit code: 137\n', '   2 | >>> RUN exec sleep']);
  });
});

rootDescribe(`an image that is wrong${needsRoot}`, () => {
  const image = makeImage([tar(file('a', 'content a')), tar(file('b', 'content b'.repeat(1000)))]);
  const wrongLayer = image.layers[1]?.digest;
  const other = Buffer.from(image.blobs.get(wrongLayer ?? '') ?? '');
  other.writeUInt8(other.readUInt8(20) ^ 1, 20);
  const servers: ScriptedServer[] = [];

  afterAll(async () => {
    for (const server of servers) await server.close();
  });

  async function serve(send?: Send, made: MadeImage = image): Promise<string> {
    const server = await serveImage(made, send);
    servers.push(server);
    return server.host;
  }

  /** Sends `bad` in place of one layer. */
  const instead =
    (bad: (content: Buffer) => Buffer): Send =>
    (response, content, digest) =>
      reply(response, 200, {}, digest === wrongLayer ? bad(content) : content);

  it('is not there: pull and FROM say its name', async () => {
    const host = await serve();
    const name = `${host}/image@sha256:${'0'.repeat(64)}`;
    await expectClearEnd(await runCli(['pull', name]), 1, [/image@.* does not have it/]);
    await expectClearEnd(await build(`FROM ${name}\n`), 1, [/image@.*: not found/]);
  });

  const faults: readonly (readonly [name: string, send: Send, says: RegExp])[] = [
    ['a layer that the registry has not', (response) => reply(response, 404), /not found|404/i],
    ['a registry that fails', (response) => reply(response, 500), /500/],
    ['a truncated layer', instead((content) => content.subarray(0, -10)), /bytes|size|ends|short/i],
    ['a layer that goes on too long', instead((content) => Buffer.concat([content, content])), /bytes|size|more/i],
    ['a layer of another digest', instead(() => other), /digest|sha256/i],
    [
      'a connection that is cut',
      (response, content, digest) => {
        response.writeHead(200, { 'content-length': content.length });
        response.write(content.subarray(0, 10));
        if (digest === wrongLayer) setTimeout(() => response.destroy(), 20);
        else response.end(content.subarray(10));
      },
      /closed|ended|cut|reset|aborted|terminated|broke/i,
    ],
  ];

  it.each(faults)(
    '%s',
    async (_, send, says) => {
      const name = `${await serve(send)}/image:1`;
      const result = await runCli(['pull', '--quiet', name]);
      await expectClearEnd(result, 1, [says]);
      expect((await runCli(['inspect', name])).code).toBe(1);
      const good = `${await serve()}/image:1`;
      expect(await slipway(['pull', good])).toContain(image.manifest.digest);
      await slipway(['rmi', good]);
    },
    60_000,
  );

  const tampered: readonly (readonly [name: string, content: Buffer, says: RegExp])[] = [
    ['a truncated layer', other.subarray(0, -10), /bytes|size|short/i],
    ['a layer of another digest', other, /digest|sha256/i],
  ];

  it.each(tampered)('in a layout: %s', async (name, content, says) => {
    const layout = writeLayout(image, join(home, name.replaceAll(' ', '-')), new Map([[wrongLayer ?? '', content]]));
    const flags = ['--build-context', `base=oci-layout://${layout}`, '-t', 'never'];
    await expectClearEnd(await build('FROM base\nCOPY there /\n', flags), 1, [says]);
    expect((await runCli(['inspect', 'never'])).code).toBe(1);
  });

  const outside = () => join(home, 'outside');
  const escapes: readonly (readonly [name: string, layer: () => Buffer])[] = [
    ['names with ..', () => tar(file(`${'../'.repeat(8)}${outside().slice(1)}/escaped`))],
    ['an absolute name', () => tar(file(`${outside()}/escaped`))],
    ['a name through an absolute link', () => tar(symlink('link', outside()), file('link/escaped'))],
    [
      'a name through a link with ..',
      () => tar(symlink('link', '../'.repeat(8) + outside().slice(1)), file('link/escaped')),
    ],
    [
      'a folder over an absolute link',
      () => tar(symlink('link', outside()), dir('link', { mode: 0o777 }), file('link/escaped')),
    ],
  ];

  it.each(escapes)('a layer stays inside of its root with %s', async (_, layer) => {
    await mkdir(outside(), { recursive: true, mode: 0o700 });
    const made = makeImage([layer()]);
    const name = `inside-${made.manifest.digest.slice(7, 19)}`;
    const layout = writeLayout(made, join(home, name));
    const tree = join(home, `${name}.tar`);
    await slipway(
      [
        'build',
        '--build-context',
        `base=oci-layout://${layout}`,
        '-o',
        `type=tar,dest=${tree}`,
        '-f',
        '-',
        join(home, 'context'),
      ],
      {
        input: 'FROM base\nCOPY there /\n',
      },
    );
    expect(await readdir(outside())).toEqual([]);
    expect((await run('stat', ['-c', '%a', outside()])).stdout).toBe('700\n');
    expect((await run('tar', ['-tf', tree])).stdout).toMatch(/\/escaped$/m);
    expect(await leftovers(home)).toEqual([]);
  });

  it('what is no archive cannot be loaded or imported', async () => {
    const there = join(home, 'context', 'there');
    await expectClearEnd(await runCli(['load', '-i', there]), 1, [/not a sound tar/]);
    await expectClearEnd(await runCli(['import', there, 'never']), 1, [/tar/]);
    await expectClearEnd(await runCli(['load', '-i', join(home, 'nowhere')]), 1, [/nowhere/]);
  });
});
