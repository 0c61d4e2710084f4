// Writes the examples of docs/graph.md, which are what the code prints: `node tools/graph-docs.ts`.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type BuildInputs,
  needKey,
  parse,
  platformNeeds,
  stagesJson,
  targetsOf,
  toGraph,
  toMermaid,
  toPlatformGraph,
} from '../src/dockerfile/index.ts';
import type { Digest, ImageConfig, Platform } from '../src/oci/index.ts';

const page = join(dirname(import.meta.dirname), 'docs', 'graph.md');

const amd64: Platform = { os: 'linux', architecture: 'amd64' };
const arm64: Platform = { os: 'linux', architecture: 'arm64' };

const base: ImageConfig = {
  platform: amd64,
  config: { Env: ['PATH=/usr/bin:/bin'], Cmd: ['node'] },
  diffIds: [`sha256:${'0'.repeat(64)}` as Digest],
  history: [{ createdBy: 'its own build' }],
};

const inputs: Omit<BuildInputs, 'platform'> = {
  buildArgs: {},
  buildPlatform: amd64,
  labels: {},
  contexts: {},
  hasContext: true,
};

/** The page with every `json NAME` and `mermaid NAME` block made anew from its `dockerfile` block. */
export function graphPage(text: string): string {
  const file = /```dockerfile\n(.*?)```/s.exec(text)?.[1];
  if (file === undefined) throw new Error('docs/graph.md has no Dockerfile');
  const examples = examplesOf(file);
  return text.replace(/```(json|mermaid) (\w+)\n.*?```/gs, (_, language: string, name: string) => {
    const example = examples[name];
    if (example === undefined) throw new Error(`docs/graph.md asks for an unknown example: ${name}`);
    return `\`\`\`${language} ${name}\n${example}\n\`\`\``;
  });
}

function examplesOf(file: string): Readonly<Record<string, string>> {
  const ast = parse(file);
  const platforms = [amd64, arm64];
  const needed = platformNeeds(ast, { ...inputs, platforms }, new Map());
  const configs = new Map(needed.map((need) => [needKey(need), { ...base, platform: need.platform }]));
  const graph = toGraph(ast, { ...inputs, platform: amd64 }, configs);
  return {
    ast: compact({ version: 1, ...ast }),
    stages: compact(stagesJson(ast)),
    targets: compact(targetsOf(ast)),
    graph: compact(graph),
    platforms: compact(toPlatformGraph(ast, { ...inputs, platforms }, configs)),
    diagram: toMermaid(graph).trimEnd(),
  };
}

/** JSON with one line for what fits one. */
function compact(value: unknown, indent = ''): string {
  const line = JSON.stringify(value);
  if (line.length + indent.length <= 110 || typeof value !== 'object' || value === null) return spaced(value);
  const deeper = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((each) => compact(each, deeper))
    : Object.entries(value)
        .filter(([, member]) => member !== undefined)
        .map(([name, member]) => `${JSON.stringify(name)}: ${compact(member, deeper)}`);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  return `${open}\n${parts.map((part) => deeper + part).join(',\n')}\n${indent}${close}`;
}

/** JSON in one line, with blanks behind commas and colons. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}: ${spaced(member)}`).join(', ')}}`;
}

if (import.meta.main) writeFileSync(page, graphPage(readFileSync(page, 'utf8')));
