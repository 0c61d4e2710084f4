import { describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRunnable, parseHandler } from '../../src/container/emulation.ts';
import { probeProgram } from '../../src/container/probe-program.ts';
import { hostPlatform, parsePlatform } from '../../src/oci/index.ts';

/** As qemu's own script registers them. */
const aarch64 = `enabled
interpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P
flags: POCF
offset 0
magic 7f454c460201010000000000000000000200b700
mask ffffffffffffff00fffffffffffffffffeffffff
`;
const s390x = `enabled
interpreter /usr/bin/qemu-s390x-static
flags: F
offset 0
magic 7f454c4602020100000000000000000000020016
mask ffffffffffffff00fffffffffffffffffffeffff
`;
const riscv64 = `enabled
interpreter /usr/bin/qemu-riscv64
flags:
offset 0
magic 7f454c460201010000000000000000000200f300
mask ffffffffffffff00fffffffffffffffffeffffff
`;

const architectures = ['amd64', '386', 'arm64', 'arm', 'riscv64', 'ppc64le', 's390x', 'mips64le', 'mips64', 'loong64'];

const handlers: readonly (readonly [text: string, architecture: string, flags: string])[] = [
  [aarch64, 'arm64', 'POCF'],
  [s390x, 's390x', 'F'],
  [riscv64, 'riscv64', ''],
];

describe('handlers of binfmt_misc', () => {
  it.each(handlers)('%# takes programs of its processor alone', (text, architecture, flags) => {
    const handler = parseHandler('qemu', text);
    expect(handler?.flags).toBe(flags);
    const taken = architectures.filter((each) => handler?.matches(probeProgram(each) ?? Buffer.alloc(0)) === true);
    expect(taken).toEqual([architecture]);
  });

  it.each([
    ['disabled', aarch64.replace('enabled', 'disabled')],
    ['by extension', 'enabled\ninterpreter /bin/x\nflags: \nextension .x\n'],
    ['empty', ''],
  ])('one that is %s counts as none', (_, text) => {
    expect(parseHandler('qemu', text)).toBeUndefined();
  });
});

describe('findRunnable', () => {
  const probed = async (platform: string): Promise<string> => {
    const scratch = await mkdtemp(join(tmpdir(), 'slipway-probe-'));
    try {
      return (await findRunnable(parsePlatform(platform), scratch)).kind;
    } finally {
      await rm(scratch, { recursive: true });
    }
  };

  it('knows this machine, and other systems', async () => {
    expect(await probed(`linux/${hostPlatform().architecture}`)).toBe('native');
    expect(await probed('windows/amd64')).toBe('none');
    expect(await probed('linux/wasm')).toBe('none');
  });

  it('runs the probe of this machine: it is a program', async () => {
    // On amd64 the 32-bit one as well, where the kernel does.
    expect(['native', 'none']).toContain(await probed('linux/386'));
  });
});
