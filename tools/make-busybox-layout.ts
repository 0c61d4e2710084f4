/**
 * Makes a small base image from the machine's static busybox, as an OCI image layout: `node tools/make-busybox-layout.ts FOLDER`.
 * The same busybox gives the same bytes. Written on Node alone, so that what it makes does not depend on what it tests.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** 2024-01-01T00:00:00Z, the time of everything in the image. */
const created = 1_704_067_200;

const folders: readonly (readonly [path: string, mode: number])[] = [
  ['bin', 0o755],
  ['dev', 0o755],
  ['etc', 0o755],
  ['home', 0o755],
  ['proc', 0o755],
  ['root', 0o700],
  ['sbin', 0o755],
  ['sys', 0o755],
  ['tmp', 0o1777],
  ['usr', 0o755],
  ['usr/bin', 0o755],
  ['usr/sbin', 0o755],
  ['var', 0o755],
  ['var/tmp', 0o1777],
  ['var/www', 0o755],
];

const files: Readonly<Record<string, string>> = {
  'etc/passwd': `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
`,
  'etc/group': 'root:x:0:\ndaemon:x:1:\nwww-data:x:33:\nnogroup:x:65534:\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
};

interface Entry {
  readonly path: string;
  readonly type: 'file' | 'folder' | 'hardlink';
  readonly mode: number;
  readonly content?: Buffer;
  readonly target?: string;
}

const [destination] = process.argv.slice(2);
if (destination === undefined) {
  process.stderr.write('usage: node tools/make-busybox-layout.ts FOLDER\n');
  process.exit(2);
}
writeLayout(destination, layerOf(findBusybox()));

function findBusybox(): string {
  const found = ['/bin/busybox', '/usr/bin/busybox', '/usr/lib/busybox/busybox-static'].find(
    (path) => existsSync(path) && isStatic(path),
  );
  if (found !== undefined) return found;
  process.stderr.write('No statically linked busybox here; install one: apt-get install busybox-static\n');
  return process.exit(1);
}

/** True for an ELF executable that asks for no dynamic loader (has no PT_INTERP program header). */
function isStatic(path: string): boolean {
  const elf = readFileSync(path);
  if (elf.subarray(0, 5).toString('latin1') !== '\u007fELF\u0002') return false;
  const [offset, size, count] = [Number(elf.readBigUInt64LE(32)), elf.readUInt16LE(54), elf.readUInt16LE(56)];
  return !Array.from({ length: count }, (_, index) => elf.readUInt32LE(offset + index * size)).includes(3);
}

function layerOf(busybox: string): Buffer {
  const applets = execFileSync(busybox, ['--list-full'], { encoding: 'utf8' })
    .split('\n')
    .filter((path) => /^(?:usr\/)?s?bin\/./.test(path));
  const entries: Entry[] = [
    ...folders.map(([path, mode]) => ({ path: `${path}/`, type: 'folder', mode }) as const),
    { path: 'bin/busybox', type: 'file', mode: 0o755, content: readFileSync(busybox) },
    ...applets
      .filter((path) => path !== 'bin/busybox')
      .sort()
      .map((path) => ({ path, type: 'hardlink', mode: 0o755, target: 'bin/busybox' }) as const),
    ...Object.entries(files).map(
      ([path, text]) => ({ path, type: 'file', mode: 0o644, content: Buffer.from(text) }) as const,
    ),
  ];
  return Buffer.concat([...entries.map(tarEntry), Buffer.alloc(1024)]);
}

/** A ustar header and the padded content. */
function tarEntry({ path, type, mode, content = Buffer.alloc(0), target = '' }: Entry): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`;
  header.write(path, 0);
  header.write(octal(mode, 8) + octal(0, 8) + octal(0, 8) + octal(content.length, 12) + octal(created, 12), 100);
  header.write(' '.repeat(8), 148);
  header.write({ file: '0', hardlink: '1', folder: '5' }[type], 156);
  header.write(target, 157);
  header.write('ustar\u000000root', 257);
  header.write('root', 297);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

function writeLayout(folder: string, tar: Buffer): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'blobs', 'sha256'), { recursive: true });
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const layer = addBlob(folder, gzipSync(tar, { level: 9 }), 'application/vnd.oci.image.layer.v1.tar+gzip');
  const date = new Date(created * 1000).toISOString().replace('.000', '');
  const config = addJson(folder, 'application/vnd.oci.image.config.v1+json', {
    created: date,
    architecture,
    os: 'linux',
    config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
    history: [{ created: date, created_by: "Debian's static busybox" }],
  });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = addJson(folder, mediaType, { schemaVersion: 2, mediaType, config, layers: [layer] });
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [{ ...manifest, platform: { architecture, os: 'linux' } }],
  };
  writeFileSync(join(folder, 'index.json'), JSON.stringify(index));
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

function addJson(folder: string, mediaType: string, value: unknown): Descriptor {
  return addBlob(folder, Buffer.from(JSON.stringify(value)), mediaType);
}

function addBlob(folder: string, content: Buffer, mediaType: string): Descriptor {
  const digest = digestOf(content);
  writeFileSync(join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length)), content);
  return { mediaType, digest, size: content.length };
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
