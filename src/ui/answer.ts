import { type BuildRequest, describeGraph, type DescribeOptions, readDockerfile } from '../build/index.ts';
import {
  type Ast,
  formatTargets,
  type PlatformGraph,
  stagesJson,
  type StepGraph,
  targetsOf,
  toDot,
  toMermaid,
} from '../dockerfile/index.ts';
import type { Store } from '../store/index.ts';
import type { Privileges } from '../system/index.ts';
import { escapeControlsInLines } from './escape.ts';
import type { AstInquiry, GraphInquiry, Inquiry } from './inquiry.ts';

export interface AnswerOptions extends Omit<DescribeOptions, 'store'> {
  readonly privileges: Privileges;
  /** Opens the store for those inquiries that need it. */
  withStore<T>(work: (store: Store) => Promise<T>): Promise<T>;
}

/**
 * What a build would make of its Dockerfile, as text for standard output.
 * @throws DockerfileError, BuildError
 */
export async function answer(inquiry: Inquiry, request: BuildRequest, options: AnswerOptions): Promise<string> {
  if (inquiry.about !== 'graph') return answerFromAst(inquiry, await readDockerfile(request, options));
  const graph = await options.withStore((store) => describeGraph(request, { ...options, store }));
  return answerFromGraph(inquiry, graph);
}

function answerFromAst({ about, format }: AstInquiry, ast: Ast): string {
  switch (about) {
    case 'ast':
      return json({ version: 1, ...ast });
    case 'stages':
      return json(stagesJson(ast));
    case 'targets': {
      const list = targetsOf(ast);
      return format === 'json' ? json(list) : escapeControlsInLines(formatTargets(list));
    }
  }
}

function answerFromGraph({ format }: GraphInquiry, graph: StepGraph | PlatformGraph): string {
  switch (format) {
    case 'json':
      return json(graph);
    case 'mermaid':
      return toMermaid(graph);
    case 'dot':
      return toDot(graph);
  }
}

function json(value: unknown): string {
  return JSON.stringify(value, undefined, 2);
}
