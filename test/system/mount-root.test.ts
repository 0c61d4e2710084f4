import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { enterPrivateMounts, loadSyscalls, mountRoot, probeOverlay, unmountRoot } from '../../src/system/index.ts';
import { overlayOptions } from '../../src/system/overlay-options.ts';
import { asRoot, scratchFolder, withOverlay } from './scratch.ts';

let scratch: string;
const at = (name: string): string => path.join(scratch, name);
const write = (name: string, text: string): void => {
  fs.mkdirSync(path.dirname(at(name)), { recursive: true });
  fs.writeFileSync(at(name), text);
};
const mounts = (): string => fs.readFileSync('/proc/thread-self/mountinfo', 'utf8');

beforeEach(() => {
  scratch = scratchFolder();
  fs.mkdirSync(at('target'));
});
afterEach(() => {
  unmountRoot(at('target'));
  expect(mounts()).not.toContain(scratch);
  fs.rmSync(scratch, { recursive: true, force: true });
});

describe('mountRoot of an overlay', () => {
  const writable = { upper: 'upper', work: 'work', volatile: true, userXattr: false };

  function layers(count: number, name: (index: number) => string): string[] {
    fs.mkdirSync(at('upper'));
    fs.mkdirSync(at('work'));
    const names = Array.from({ length: count }, (_, index) => name(index));
    for (const [index, folder] of names.entries()) {
      write(`${folder}/only-${index}`, String(index));
      write(`${folder}/same`, String(index));
    }
    return names;
  }

  const stacks: readonly (readonly [string, number, (index: number) => string])[] = [
    ['one layer', 1, (index) => `${index}/fs`],
    ['127 layers with short names', 127, (index) => `${index}/fs`],
    ['127 layers with names of 64 characters', 127, (index) => `${String(index).padStart(64, 'f')}/fs`],
    ['300 layers', 300, (index) => `snapshots/${String(index).padStart(36, '0')}/fs`],
    ['layers with commas, colons and backslashes in their names', 3, (index) => `a,b:c\\d ${index}/fs`],
  ];
  withOverlay.each(stacks)('of %s is writable and shows the uppermost first', (_name, count, name) => {
    const lowers = layers(count, name);
    const before = fs.realpathSync('.');
    mountRoot({ kind: 'overlay', cwd: scratch, lowers, ...writable }, at('target'));
    expect(fs.realpathSync('.')).toBe(before);
    expect(fs.readFileSync(at('target/same'), 'utf8')).toBe('0');
    expect(fs.readdirSync(at('target'))).toHaveLength(count + 1);
    fs.writeFileSync(at('target/new'), 'x');
    fs.rmSync(at('target/only-0'));
    unmountRoot(at('target'));
    expect(fs.readdirSync(at('upper')).sort()).toEqual(['new', 'only-0']);
  });

  withOverlay.each([1, 2, 300])('without an upper, of %d layers, is read-only and hides whiteouts', (count) => {
    const lowers = layers(count, (index) => `${index}/fs`);
    loadSyscalls().mknod(at('0/fs/gone'), 0o020_000, 0, 0);
    mountRoot({ kind: 'overlay', cwd: scratch, lowers, volatile: false, userXattr: false }, at('target'));
    expect(fs.existsSync(at('target/gone'))).toBe(false);
    expect(fs.readdirSync(at('target'))).toHaveLength(count + 1);
    expect(() => fs.writeFileSync(at('target/new'), 'x')).toThrow(expect.objectContaining({ code: 'EROFS' }));
  });

  withOverlay('without layers is the upper itself', () => {
    layers(0, String);
    mountRoot({ kind: 'overlay', cwd: scratch, lowers: [], ...writable }, at('target'));
    fs.writeFileSync(at('target/new'), 'x');
    expect(fs.readdirSync(at('upper'))).toEqual(['new']);
  });

  withOverlay('without layers and upper is empty and read-only', () => {
    mountRoot({ kind: 'overlay', cwd: scratch, lowers: [], volatile: false, userXattr: false }, at('target'));
    expect(fs.readdirSync(at('target'))).toEqual([]);
    expect(() => fs.writeFileSync(at('target/new'), 'x')).toThrow(expect.objectContaining({ code: 'EROFS' }));
  });

  withOverlay('that fails leaves nothing and tells the folder', () => {
    const root = { kind: 'overlay', cwd: scratch, lowers: ['none'], volatile: false, userXattr: false } as const;
    expect(() => mountRoot(root, at('target'))).toThrow(
      expect.objectContaining({ code: 'SYSCALL_FAILED', errno: 'ENOENT', message: expect.stringContaining(scratch) }),
    );
  });
});

describe('mountRoot of a folder', () => {
  asRoot.each([
    ['is the folder itself', false],
    ['can be read-only', true],
  ] as const)('%s', (_name, readOnly) => {
    write('folder/file', 'x');
    mountRoot({ kind: 'directory', path: at('folder'), readOnly }, at('target'));
    expect(fs.readFileSync(at('target/file'), 'utf8')).toBe('x');
    const attempt = (): void => fs.writeFileSync(at('target/new'), 'x');
    if (readOnly) expect(attempt).toThrow(expect.objectContaining({ code: 'EROFS' }));
    else attempt();
    expect(fs.existsSync(at('folder/new'))).toBe(!readOnly);
  });
});

describe('enterPrivateMounts', () => {
  asRoot('hides our mounts from the rest of the machine, and can be called again', () => {
    enterPrivateMounts();
    enterPrivateMounts();
    mountRoot({ kind: 'directory', path: '/usr', readOnly: true }, at('target'));
    expect(mounts()).toContain(at('target'));
    expect(fs.readFileSync(`/proc/${process.ppid}/mountinfo`, 'utf8')).not.toContain(at('target'));
  });
});

describe('probeOverlay', () => {
  withOverlay.each([true, false])(
    'finds that overlays work on an ordinary file system (userXattr: %s)',
    (userXattr) => {
      expect(probeOverlay(scratch, { userXattr })).toBe(true);
      expect(fs.readdirSync(scratch)).toEqual(['target']);
    },
  );

  withOverlay('finds that they do not on an overlay', () => {
    for (const name of ['lower', 'upper', 'work']) fs.mkdirSync(at(name));
    const paths = { cwd: scratch, lowers: ['lower'], upper: 'upper', work: 'work' };
    mountRoot({ kind: 'overlay', ...paths, volatile: false, userXattr: false }, at('target'));
    expect(probeOverlay(at('target'), { userXattr: false })).toBe(false);
  });
});

describe('overlayOptions', () => {
  const root = { kind: 'overlay', cwd: '/', lowers: ['a', 'b'], upper: 'u', work: 'w' } as const;
  const cases: readonly (readonly [string, string, boolean, boolean, string])[] = [
    ['a new kernel, as root', '6.1.0', true, false, 'index=off,redirect_dir=off,metacopy=off,volatile'],
    ['in a user namespace', '5.11.0-rc1', true, true, 'index=off,userxattr,volatile'],
    ['before volatile', '5.9.16', true, false, 'index=off,redirect_dir=off,metacopy=off'],
    ['before metacopy', '4.18.0-553.el8.x86_64', true, false, 'index=off,redirect_dir=off'],
    ['to be kept', '6.1.0', false, false, 'index=off,redirect_dir=off,metacopy=off'],
  ];
  it.each(cases)('%s', (_name, release, volatile, userXattr, expected) => {
    const options = overlayOptions({ ...root, volatile, userXattr }, release);
    expect(options).toBe(`lowerdir=a:b,upperdir=u,workdir=w,${expected}`);
  });
});
