import { describe, expect, it } from '@jest/globals';
import { type BuildInputs, needKey, needs, outlineOf, parse } from '../../src/dockerfile/index.ts';
import type { ImageConfig } from '../../src/oci/index.ts';
import { formatOutline } from '../../src/ui/index.ts';
import { imageConfig, inputs } from './build-inputs.ts';

function outline(text: string, changes: Partial<BuildInputs> = {}) {
  const ast = parse(text);
  const given = inputs(changes);
  const configs = new Map<string, ImageConfig>();
  for (let open = needs(ast, given, configs); open.length > 0; open = needs(ast, given, configs)) {
    for (const need of open) configs.set(needKey(need), imageConfig());
  }
  return outlineOf(ast, given, configs);
}

/** `line NAME=value (description)` of each argument, in order. */
function args(text: string, changes?: Partial<BuildInputs>): string {
  return (outline(text, changes).args ?? [])
    .map(({ name, value, description, location }) => {
      const line = location.ranges[0]?.start.line;
      return `${line} ${name}${value === undefined ? '' : `=${value}`}${description === undefined ? '' : ` (${description})`}`;
    })
    .join('; ');
}

const cases: readonly (readonly [rule: string, text: string, args: string])[] = [
  ['an ARG of the target', 'FROM a\nARG B=1', '2 B=1'],
  ['one without a value', 'FROM a\nARG B', '2 B'],
  ['one with an empty value', 'FROM a\nARG B=', '2 B'],
  ['several on a line, from left to right', 'FROM a\nARG B=1 C=${B}2', '2 B=1; 2 C=12'],
  ['the last of one name', 'FROM a\nARG B=1\nARG B=2', '3 B=2'],
  ['what the comment above says of it', 'FROM a\n# B is it\n# C is not\nARG B=1', '4 B=1 (is it)'],
  ['a global one that FROM uses', 'ARG V=1\nFROM a:$V', '1 V=1'],
  ['a global one that a stage names', 'ARG V=1\nFROM a\nARG V', '1 V=1'],
  ['a global one that a stage gives a default of its own', 'ARG V=1\nFROM a\nARG V=2', '3 V=2'],
  ['no global one that nothing uses', 'ARG V=1\nFROM a', ''],
  ['what a global one is made of', 'ARG A=1\nARG B=${A}2\nFROM a:$B', '1 A=1; 2 B=12'],
  ['nothing that is declared too late for that', 'ARG B=${A}2\nARG A=1\nFROM a:$B', '1 B=2'],
  ['what it was made of before', 'ARG A=1\nARG B=$A\nARG B=${B}2\nFROM a:$B', '1 A=1; 3 B=12'],
  ['one that --platform uses', 'ARG P=linux/arm64\nFROM --platform=$P a', '1 P=linux/arm64'],
  ['no platform argument', 'FROM a\nARG TARGETARCH', ''],
  ['but one with a default', 'FROM a\nARG TARGETARCH=x', '2 TARGETARCH=x'],
  ['those of the base stage', 'FROM a AS x\nARG B=1\nFROM x\nARG C=2', '2 B=1; 4 C=2'],
  ['those of stages that are copied from', 'FROM a AS x\nARG B=1\nFROM a\nCOPY --from=x / /', '2 B=1'],
  ['none of other stages', 'FROM a AS x\nARG B=1\nFROM a', ''],
  ['the nearest of one name', 'FROM a AS x\nARG B=1\nFROM x\nARG B=2', '4 B=2'],
  ['a value where it stands, whatever comes behind', 'ARG B=3\nFROM a\nARG B=1 B', '3 B=1'],
];

describe('the outline has', () => {
  it.each(cases)('%s', (_, text, expected) => {
    expect(args(text)).toBe(expected);
  });

  it('what is given in place of a default', () => {
    expect(args('ARG A=1\nFROM a:$A\nARG B=2', { buildArgs: { A: '3', B: '4' } })).toBe('1 A=3; 3 B=4');
  });

  it('the target that is asked for', () => {
    const text = '# x makes it\nFROM a AS x\nARG B=1\nFROM a AS y\nARG C=2';
    expect(outline(text, { target: 'x' })).toMatchObject({ name: 'x', description: 'makes it', args: [{ name: 'B' }] });
    expect(outline(text)).toMatchObject({ name: 'y', args: [{ name: 'C' }] });
  });

  it('secrets and ssh agents, each once, and whether they must be there', () => {
    const text = [
      'FROM a',
      'RUN --mount=type=secret,id=s,required --mount=type=secret,target=/run/t x',
      'RUN --mount=type=secret,id=s \\\n  --mount=type=ssh --mount=type=ssh,id=k,required y',
    ].join('\n');
    expect(outline(text)).toEqual({
      secrets: [
        { name: 's', required: true, location: { ranges: [{ start: { line: 2 }, end: { line: 2 } }] } },
        { name: 't', location: { ranges: [{ start: { line: 2 }, end: { line: 2 } }] } },
      ],
      ssh: ['default', 'k'].map((name) => ({
        name,
        ...(name === 'k' ? { required: true } : {}),
        location: { ranges: [3, 4].map((line) => ({ start: { line }, end: { line } })) },
      })),
    });
  });

  it('nothing, where there is nothing', () => {
    expect(outline('FROM a')).toEqual({});
    expect(formatOutline(outline('FROM a'))).toBe('');
  });
});

describe('an outline is printed', () => {
  it('as BuildKit prints it', () => {
    const text =
      '# x makes it\nFROM a AS x\n# LONGER says more\nARG LONGER=value B\nRUN --mount=type=secret,id=s,required y';
    expect(formatOutline(outline(text))).toBe(
      [
        'TARGET:      x',
        'DESCRIPTION: makes it',
        '',
        'BUILD ARG   VALUE   DESCRIPTION',
        'LONGER      value   says more',
        'B                   ',
        '',
        'SECRET   REQUIRED',
        's        true',
        '',
        '',
      ].join('\n'),
    );
  });
});
