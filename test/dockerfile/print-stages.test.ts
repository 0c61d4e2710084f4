import { describe, expect, it } from '@jest/globals';
import { parse, stagesJson } from '../../src/dockerfile/index.ts';

const first = (text: string) => stagesJson(parse(`FROM a\n${text}`)).stages[0]?.commands[0];

describe('stages as JSON', () => {
  it('are global ARGs and stages', () => {
    const json = stagesJson(
      parse('ARG V=1 W\n# b it is\nFROM --platform=$P a:$V AS B\nWORKDIR /x\nFROM scratch\nCOPY --from=b /x /'),
    );
    expect(JSON.parse(JSON.stringify(json))).toEqual({
      version: 1,
      globalArgs: [
        {
          kind: 'arg',
          line: 'ARG V=1 W',
          range: { start: 1, end: 1 },
          args: [{ key: 'V', value: '1' }, { key: 'W' }],
        },
      ],
      stages: [
        {
          index: 0,
          name: 'b',
          base: 'a:$V',
          platform: '$P',
          range: { start: 3, end: 3 },
          description: 'it is',
          commands: [{ kind: 'workdir', line: 'WORKDIR /x', range: { start: 4, end: 4 }, value: '/x' }],
        },
        {
          index: 1,
          base: 'scratch',
          range: { start: 5, end: 5 },
          commands: [
            {
              kind: 'copy',
              line: 'COPY --from=b /x /',
              range: { start: 6, end: 6 },
              sources: ['/x'],
              files: [],
              destination: '/',
              from: 'b',
              link: false,
              parents: false,
              exclude: [],
            },
          ],
        },
      ],
    });
  });

  it.each<readonly [text: string, members: Readonly<Record<string, unknown>>]>([
    [
      'ENV A=$B C=d',
      {
        kind: 'env',
        pairs: [
          { key: 'A', value: '$B' },
          { key: 'C', value: 'd' },
        ],
      },
    ],
    ['label a=b', { kind: 'label', line: 'label a=b', pairs: [{ key: 'a', value: 'b' }] }],
    ['USER me', { kind: 'user', value: 'me' }],
    ['EXPOSE 2 1', { kind: 'expose', values: ['1', '2'] }],
    ['CMD a b', { kind: 'cmd', command: { args: ['a b'], shell: true } }],
    ['ENTRYPOINT ["a"]', { kind: 'entrypoint', command: { args: ['a'], shell: false } }],
    ['HEALTHCHECK --retries=2 CMD x', { kind: 'healthcheck', check: { Test: ['CMD-SHELL', 'x'], Retries: 2 } }],
    ['ONBUILD RUN x', { kind: 'onbuild', expression: 'RUN x' }],
    ['ADD --keep-git-dir=false --unpack a b', { kind: 'add', keepGitDir: false, unpack: true, destination: 'b' }],
    [
      'RUN --mount=target=/m --network=none x',
      { kind: 'run', mounts: ['target=/m'], devices: [], network: 'none', security: 'sandbox' },
    ],
    [
      'RUN <<-E\n\tx\n\tE',
      { kind: 'run', range: { start: 2, end: 4 }, files: [{ name: 'E', content: 'x\n', expand: true }] },
    ],
    ["COPY <<'E' /f\n$x\nE", { kind: 'copy', sources: [], files: [{ name: 'E', content: '$x\n', expand: false }] }],
  ])('%j', (text, members) => {
    expect(first(text)).toMatchObject(members);
  });
});
