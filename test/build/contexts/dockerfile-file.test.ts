import { describe, expect, it } from '@jest/globals';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findDockerfile } from '../../../src/build/contexts/dockerfile-file.ts';
import { ScratchTree } from '../scratch.ts';

describe('the Dockerfile of a context', () => {
  it('may be a link to a file of the context', () => {
    using context = new ScratchTree({ 'sub/own': 'FROM scratch', Dockerfile: '-> /sub/own' });
    expect(findDockerfile(context.root, { wanted: undefined, confined: true })).toBe(join(context.root, 'sub/own'));
  });

  it('is none out of it', () => {
    using outside = new ScratchTree({ secret: 'x' });
    using context = new ScratchTree({ Dockerfile: `-> ${outside.root}/secret` });
    expect(() => findDockerfile(context.root, { wanted: undefined, confined: true })).toThrow('no such file');
  });

  it('is none out of it by way of a folder that has, as text, the name of a link', () => {
    using outside = new ScratchTree({ secret: 'x' });
    using context = new ScratchTree();
    const folder = Buffer.from(`${context.root}/\xff`, 'latin1');
    mkdirSync(folder);
    writeFileSync(Buffer.concat([folder, Buffer.from('/secret')]), 'FROM scratch');
    symlinkSync(outside.root, join(context.root, '\ufffd'));
    symlinkSync(Buffer.from('\xff/secret', 'latin1'), join(context.root, 'Dockerfile'));
    expect(() => findDockerfile(context.root, { wanted: undefined, confined: true })).toThrow('no such file');
  });
});
