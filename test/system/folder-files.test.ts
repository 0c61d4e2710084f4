import fs, { constants } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { closeIn, openIn } from '../../src/system/index.ts';
import { scratchFolder } from './scratch.ts';

describe('openIn', () => {
  let folder: string;
  let fd: number;
  beforeEach(() => {
    folder = scratchFolder();
    fd = fs.openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  });
  afterEach(() => {
    fs.closeSync(fd);
    fs.rmSync(folder, { recursive: true });
  });

  it('opens a file whose name is no UTF-8', () => {
    fs.writeFileSync(Buffer.from(`${folder}/caf\xe9`, 'latin1'), 'drink');
    const file = openIn(fd, 'caf\xe9', { flags: constants.O_RDONLY });
    expect(fs.readFileSync(file, 'utf8')).toBe('drink');
    closeIn(file);
  });

  it('makes a file with its mode', () => {
    const { O_WRONLY, O_CREAT, O_EXCL } = constants;
    const file = openIn(fd, 'new', { flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o700 });
    fs.writeSync(file, 'made');
    closeIn(file);
    expect(fs.readFileSync(path.join(folder, 'new'), 'utf8')).toBe('made');
    expect(fs.statSync(path.join(folder, 'new')).mode & 0o777).toBe(0o700);
  });

  it('is closed for programs that are started', () => {
    fs.writeFileSync(path.join(folder, 'f'), '');
    const file = openIn(fd, 'f', { flags: constants.O_RDONLY });
    const flags = /^flags:\s*(\d+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${file}`, 'latin1'))?.[1] ?? '0';
    expect(Number.parseInt(flags, 8) & 0o2000000).not.toBe(0);
    closeIn(file);
  });

  it.each([
    ['a missing file', 'missing', 'ENOENT'],
    ['a link', 'link', 'ELOOP'],
    ['what is no name but a path', '../f', 'EINVAL'],
    ['a name with a NUL', 'f\0g', 'EINVAL'],
    ['a name that is too long', 'x'.repeat(256), 'ENAMETOOLONG'],
  ])('refuses %s as Node does', (_, name, code) => {
    fs.writeFileSync(path.join(folder, 'f'), '');
    fs.symlinkSync('f', path.join(folder, 'link'));
    const open = (): number => openIn(fd, name, { flags: constants.O_RDONLY });
    expect(open).toThrow(expect.objectContaining({ code, syscall: 'open' }));
  });

  it('leaves a thread without warnings', async () => {
    fs.writeFileSync(path.join(folder, 'f'), '');
    const room = path.join(import.meta.dirname, '..', '..', 'src', 'system', 'folder-files.ts');
    const code = `
      const fs = require('node:fs');
      process.on('warning', (warning) => { throw warning; });
      import(${JSON.stringify(room)}).then(({ openIn, closeIn }) => {
        const folder = fs.openSync(${JSON.stringify(folder)}, 'r');
        closeIn(openIn(folder, 'f', { flags: 0 }));
        fs.closeSync(folder);
      });`;
    const ended = Promise.withResolvers<number>();
    const worker = new Worker(code, { eval: true, execArgv: ['--disable-warning=ExperimentalWarning'] });
    worker.on('error', ended.reject).on('exit', ended.resolve);
    expect(await ended.promise).toBe(0);
  });
});
