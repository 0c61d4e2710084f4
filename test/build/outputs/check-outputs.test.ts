import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAnnotation, parseOutput } from '../../../src/build/index.ts';
import { checkOutputs } from '../../../src/build/outputs/check-outputs.ts';

interface Asked {
  readonly outputs?: readonly string[];
  readonly tags?: readonly string[];
  readonly push?: boolean;
  readonly annotations?: readonly string[];
  readonly several?: boolean;
}

/** `DIR` in an output is a folder with `folder/`, `file` and `here`, a link to the working folder. */
function check({ outputs = [], tags = [], push = false, annotations = [], several = false }: Asked): void {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-outputs-'));
  try {
    mkdirSync(join(folder, 'folder'));
    writeFileSync(join(folder, 'file'), '');
    symlinkSync(process.cwd(), join(folder, 'here'));
    checkOutputs(
      {
        outputs: outputs.map((text) => parseOutput(text.replace('DIR', folder))),
        tags,
        push,
        annotations: annotations.flatMap((text) => parseAnnotation(text)),
      },
      several,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const good: readonly (readonly [string, Asked])[] = [
  ['nothing', {}],
  ['a push of tags', { tags: ['a'], push: true }],
  ['a push under a name of its own', { outputs: ['type=registry,name=a'] }],
  ['a push by digest of a repository', { outputs: ['type=registry,name=a/b,push-by-digest=true'] }],
  ['a push by digest under an untagged -t', { outputs: ['type=registry,push-by-digest=true'], tags: ['a/b'] }],
  ['a file over a file', { outputs: ['type=tar,dest=DIR/file'] }],
  ['a folder over a folder', { outputs: ['type=local,dest=DIR/folder', 'type=oci,tar=false,dest=DIR/folder'] }],
  ['new places', { outputs: ['type=local,dest=DIR/x/y', 'type=oci,dest=DIR/x/z.tar'] }],
  ['an archive of several platforms', { outputs: ['type=oci,dest=DIR/x'], several: true }],
  ['docker types without annotations', { outputs: ['type=oci,dest=DIR/x,oci-mediatypes=false'] }],
];

const bad: readonly (readonly [string, Asked, RegExp])[] = [
  ['a push without a name', { push: true }, /tag is needed/],
  ['a registry without a name', { outputs: ['type=registry'] }, /tag is needed/],
  [
    'a push by digest of a tag',
    { outputs: ['type=registry,name=a:1,push-by-digest=true'] },
    /can't push tagged ref a:1/,
  ],
  ['a push by digest under -t', { outputs: ['type=registry,push-by-digest=true'], tags: ['a:1'] }, /can't push tagged/],
  ['a file in the place of a folder', { outputs: ['type=tar,dest=DIR/folder'] }, /is a folder/],
  ['a folder in the place of a file', { outputs: ['type=local,dest=DIR/file'] }, /is a file/],
  ['a layout in the place of a file', { outputs: ['type=oci,tar=false,dest=DIR/file'] }, /is a file/],
  ['a place below a file', { outputs: ['type=tar,dest=DIR/file/x'] }, /is not a folder/],
  ['a folder to standard output', { outputs: ['type=local,dest=-'] }, /standard output/],
  ['two to standard output', { outputs: ['type=tar,dest=-', 'type=oci,dest=-'] }, /only one output/],
  ['the deletion of everything', { outputs: ['type=local,dest=/,mode=delete'] }, /would delete/],
  ['the deletion of the working folder', { outputs: ['type=local,dest=.,mode=delete'] }, /would delete/],
  ['the deletion of one above it', { outputs: ['type=local,dest=..,mode=delete'] }, /would delete/],
  [
    'the deletion of the working folder by a link',
    { outputs: ['type=local,dest=DIR/here,mode=delete'] },
    /would delete/,
  ],
  ['several platforms for docker', { outputs: ['type=docker,dest=DIR/x'], several: true }, /holds one platform/],
  [
    'annotations for docker types',
    { outputs: ['type=oci,dest=DIR/x,oci-mediatypes=false'], annotations: ['k=v'] },
    /have no annotations/,
  ],
];

describe('checkOutputs', () => {
  it.each(good)('lets %s be', (_, asked) => expect(() => check(asked)).not.toThrow());

  it.each(bad)('refuses %s', (_, asked, message) => {
    expect(() => check(asked)).toThrow(
      expect.objectContaining({ code: 'OUTPUT_INVALID', message: expect.stringMatching(message) }),
    );
  });
});
