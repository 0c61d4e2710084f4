import type { Step, StepGraph, StepId, TreeSource } from './graph.ts';
import type { PlatformGraph } from './platforms.ts';

/** A graph's boxes and arrows, whatever language draws them. */
interface Diagram {
  readonly groups: readonly Group[];
  /** Contexts: what comes from outside and is no image. */
  readonly contexts: readonly Box[];
  readonly edges: readonly Edge[];
  /** Boxes that are a result. */
  readonly targets: readonly string[];
}

/** The steps of one stage. */
interface Group extends Box {
  readonly boxes: readonly Box[];
}

interface Box {
  readonly id: string;
  readonly label: string;
}

interface Edge {
  readonly from: string;
  readonly to: string;
  /** How `to` uses `from` other than by standing on it. */
  readonly label?: 'COPY' | 'bind' | 'cache';
}

/**
 * A graph as a Mermaid flowchart: a box for each step, framed by stage; solid arrows from a step to the one that stands on it,
 * dashed ones for what COPY and mounts read; results have a thick border.
 */
export function toMermaid(graph: StepGraph | PlatformGraph): string {
  const { groups, contexts, edges, targets } = diagramOf(graph);
  const lines = ['flowchart TD'];
  for (const { id, label } of contexts) lines.push(`  ${id}[("${mermaidText(label)}")]`);
  for (const { id, label, boxes } of groups) {
    lines.push(`  subgraph ${id}["${mermaidText(label)}"]`);
    for (const box of boxes) lines.push(`    ${box.id}["${mermaidText(box.label)}"]`);
    lines.push('  end');
  }
  for (const { from, to, label } of edges) {
    lines.push(label === undefined ? `  ${from} --> ${to}` : `  ${from} -. "${label}" .-> ${to}`);
  }
  if (targets.length > 0) lines.push('  classDef target stroke-width:4px', `  class ${targets.join(',')} target`);
  return `${lines.join('\n')}\n`;
}

/** The same in Graphviz's DOT language. */
export function toDot(graph: StepGraph | PlatformGraph): string {
  const { groups, contexts, edges, targets } = diagramOf(graph);
  const lines = ['digraph build {', '  node [shape=box]'];
  for (const { id, label } of contexts) lines.push(`  ${id} [label=${dotText(label)}, shape=cylinder]`);
  for (const { id, label, boxes } of groups) {
    lines.push(`  subgraph cluster_${id} {`, `    label=${dotText(label)}`);
    for (const box of boxes) lines.push(`    ${box.id} [label=${dotText(box.label)}]`);
    lines.push('  }');
  }
  for (const id of targets) lines.push(`  ${id} [penwidth=3]`);
  for (const { from, to, label } of edges) {
    lines.push(`  ${from} -> ${to}${label === undefined ? '' : ` [style=dashed, label=${dotText(label)}]`}`);
  }
  return `${[...lines, '}'].join('\n')}\n`;
}

function diagramOf(graph: StepGraph | PlatformGraph): Diagram {
  const contexts = new Map<string, Box>();
  const edges = new Map<string, Edge>();
  for (const step of graph.steps) {
    for (const { from, label } of readsOf(step)) {
      const id = from.kind === 'step' ? from.step : from.kind === 'context' ? contextBox(from).id : undefined;
      const edge = { from: id ?? '', to: step.id, ...(label === undefined ? {} : { label }) };
      if (id !== undefined) edges.set(JSON.stringify(edge), edge);
    }
  }
  return {
    groups: groupsOf(graph.steps),
    contexts: [...contexts.values()],
    edges: [...edges.values()],
    targets: targetsOf(graph),
  };

  function contextBox({ name }: { readonly name?: string }): Box {
    const key = name ?? '';
    const box = contexts.get(key) ?? {
      id: `c${contexts.size}`,
      label: name === undefined ? 'build context' : `context ${name}`,
    };
    contexts.set(key, box);
    return box;
  }
}

function groupsOf(steps: readonly Step[]): Group[] {
  const stages = Map.groupBy(steps, (step) => step.stage);
  return Array.from(stages, ([stage, members], index) => ({
    id: `g${index}`,
    label: /^\d+$/.test(stage) ? `stage ${stage}` : stage,
    boxes: members.map(({ id, title }) => ({ id, label: title })),
  }));
}

function targetsOf(graph: StepGraph | PlatformGraph): StepId[] {
  const targets = 'platforms' in graph ? graph.platforms.map(({ target }) => target) : [graph.target];
  return [...new Set(targets.filter((target) => target !== undefined))];
}

interface Read {
  readonly from: TreeSource;
  readonly label?: Edge['label'];
}

function readsOf(step: Step): Read[] {
  if (step.kind === 'image') return [];
  const input: Read[] = step.input === undefined ? [] : [{ from: { kind: 'step', step: step.input } }];
  switch (step.kind) {
    case 'workdir':
      return input;
    case 'copy':
      return [
        ...input,
        ...step.sources.flatMap((source): Read[] =>
          source.kind === 'path' ? [{ from: source.from, label: 'COPY' }] : [],
        ),
      ];
    case 'run':
      return [
        ...input,
        ...step.mounts.flatMap((mount): Read[] =>
          'from' in mount && mount.from !== undefined ? [{ from: mount.from, label: mount.type }] : [],
        ),
      ];
  }
}

/** Characters of a label. */
const maxLabel = 80;

/** One line that is not too long; control characters and what cannot be seen (it may turn text around) become blanks. */
function oneLine(text: string): string {
  const clean = text.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
  const characters = Array.from(clean);
  return characters.length > maxLabel ? `${characters.slice(0, maxLabel - 1).join('')}…` : clean;
}

/**
 * What Mermaid reads as more than text, even between quotes: the quote itself, character codes, HTML, Markdown, formulas
 * (`$$`), comments and directives (`%%`), icons (`fa:fa-`), and what looks like a style to the search for character codes.
 */
const mermaidMarks = /["#<>&`*_~\\]|\$(?=\$)|%(?=%)|:(?=fa-)|(?<=(?:style|classDef).*):/g;

/** Text between double quotes in Mermaid, where `#code;` stands for a character; a label must not be empty. */
function mermaidText(text: string): string {
  return oneLine(text).replace(mermaidMarks, (character) => `#${character.charCodeAt(0)};`) || ' ';
}

/** A quoted string in DOT: a backslash begins an escape in labels, and `&` a character reference. */
function dotText(text: string): string {
  return `"${oneLine(text).replaceAll('&', '&amp;').replace(/["\\]/g, '\\$&')}"`;
}
