import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { type StepGraph, toDot, toMermaid } from '../../src/dockerfile/index.ts';
import { graphOf, linux } from './build-inputs.ts';

const file = `FROM go AS build
COPY --from=assets . /a
RUN --mount=target=/m,source=x --mount=type=cache,target=/c,from=tools --mount=type=cache,target=/d make
FROM scratch
COPY --from=build /one /two /
`;
const graph = graphOf(file, { contexts: { assets: 'tree' } });

describe('a graph as a diagram', () => {
  it('is a Mermaid flowchart', () => {
    expect(toMermaid(graph)).toBe(`flowchart TD
  c0[("context assets")]
  c1[("build context")]
  subgraph g0["build"]
    s0["[build 1/3] FROM go"]
    s1["[build 2/3] COPY --from=assets . /a"]
    s2["FROM tools"]
    s3["[build 3/3] RUN --mount=target=/m,source=x --mount=type=cache,target=/c,from=to…"]
  end
  subgraph g1["stage 1"]
    s4["[stage-1 1/1] COPY --from=build /one /two /"]
  end
  s0 --> s1
  c0 -. "COPY" .-> s1
  s1 --> s3
  c1 -. "bind" .-> s3
  s2 -. "cache" .-> s3
  s3 -. "COPY" .-> s4
  classDef target stroke-width:4px
  class s4 target
`);
  });

  it('is a Graphviz digraph', () => {
    expect(toDot(graph)).toBe(`digraph build {
  node [shape=box]
  c0 [label="context assets", shape=cylinder]
  c1 [label="build context", shape=cylinder]
  subgraph cluster_g0 {
    label="build"
    s0 [label="[build 1/3] FROM go"]
    s1 [label="[build 2/3] COPY --from=assets . /a"]
    s2 [label="FROM tools"]
    s3 [label="[build 3/3] RUN --mount=target=/m,source=x --mount=type=cache,target=/c,from=to…"]
  }
  subgraph cluster_g1 {
    label="stage 1"
    s4 [label="[stage-1 1/1] COPY --from=build /one /two /"]
  }
  s4 [penwidth=3]
  s0 -> s1
  c0 -> s1 [style=dashed, label="COPY"]
  s1 -> s3
  c1 -> s3 [style=dashed, label="bind"]
  s2 -> s3 [style=dashed, label="cache"]
  s3 -> s4 [style=dashed, label="COPY"]
}
`);
  });

  it('has nothing for an image without layers', () => {
    const empty = graphOf('FROM scratch');
    expect(toMermaid(empty)).toBe('flowchart TD\n');
    expect(toDot(empty)).toBe('digraph build {\n  node [shape=box]\n}\n');
  });

  it('marks the target of each platform once', () => {
    const { steps, image } = graph;
    const target = (id: string) => ({ platform: linux, target: id, image });
    const several = { version: 1, steps, warnings: [], platforms: ['s1', 's4', 's4'].map(target) } as const;
    expect(toMermaid(several)).toContain('\n  class s1,s4 target\n');
    expect(toDot(several)).toContain('\n  s1 [penwidth=3]\n  s4 [penwidth=3]\n');
  });
});

/** A graph of one step. */
function titled(title: string, stage = 'build'): StepGraph {
  const step = { kind: 'workdir', id: 's0', title, stage, input: undefined, path: '/', user: '' } as const;
  return { version: 1, target: 's0', steps: [step], image: graph.image, warnings: [] };
}

const hostile: readonly (readonly [rule: string, title: string, mermaid: string, dot: string])[] = [
  ['a quote', 'RUN "a"', 'RUN #34;a#34;', 'RUN \\"a\\"'],
  ['brackets', '[a] (b) {c}', '[a] (b) {c}', '[a] (b) {c}'],
  ['arrows', 'a --> b -- c', 'a --#62; b -- c', 'a --> b -- c'],
  ['a hash', 'a #34; b', 'a #35;34; b', 'a #34; b'],
  ['a character reference', '&amp; &#34;', '#38;amp; #38;#35;34;', '&amp;amp; &amp;#34;'],
  ['HTML', '<b>', '#60;b#62;', '<b>'],
  ['Markdown', '`a` *b* _c_ ~d~', '#96;a#96; #42;b#42; #95;c#95; #126;d#126;', '`a` *b* _c_ ~d~'],
  ['backslashes', '\\N \\" \\', '#92;N #92;#34; #92;', '\\\\N \\\\\\" \\\\'],
  ['a directive of Mermaid', '%%{init: {}}%%', '#37;%{init: {}}#37;%', '%%{init: {}}%%'],
  ['a formula', '$$x$$ $y', '#36;$x#36;$ $y', '$$x$$ $y'],
  ['an icon', 'fa:fa-car', 'fa#58;fa-car', 'fa:fa-car'],
  ['a style', 'style a:#f;', 'style a#58;#35;f;', 'style a:#f;'],
  ['line breaks and controls', 'a\r\nb\tc\x1bd\u2028e', 'a b c d e', 'a b c d e'],
  ['other scripts', 'ü 日本 😀', 'ü 日本 😀', 'ü 日本 😀'],
  ['half a character', 'a\ud83d', 'a\ufffd', 'a\ufffd'],
  ['a long title', '😀'.repeat(100), `${'😀'.repeat(79)}…`, `${'😀'.repeat(79)}…`],
  ['keywords', 'end', 'end', 'end'],
  ['nothing', '', ' ', ''],
];

describe('a label with', () => {
  it.each(hostile)('%s', (_, title, mermaid, dot) => {
    expect(toMermaid(titled(title, title))).toContain(`  subgraph g0["${mermaid}"]\n    s0["${mermaid}"]\n`);
    expect(toDot(titled(title, title))).toContain(`    label="${dot}"\n    s0 [label="${dot}"]\n`);
  });
});

const hasDot = spawnSync('dot', ['-V']).error === undefined;
(hasDot ? describe : describe.skip)(`Graphviz${hasDot ? '' : ' (needs dot)'} takes`, () => {
  it.each(hostile)('%s', (_, title) => {
    const { status, stderr } = spawnSync('dot', ['-Tcanon'], { input: toDot(titled(title, title)), encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
