import {
  type BuildRequest,
  checkBuild,
  type CheckedDockerfile,
  describeGraph,
  describeOutline,
  type DescribeOptions,
  readDockerfile,
} from '../build/index.ts';
import {
  type Ast,
  ownRules,
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
import { humanFindings } from './findings/human.ts';
import { jsonFindings } from './findings/json.ts';
import type { AstInquiry, CallInquiry, GraphInquiry, Inquiry } from './inquiry.ts';
import { toJson } from './json.ts';
import { formatOutline } from './outline.ts';
import { formatTargets } from './targets.ts';

export interface AnswerOptions extends Omit<DescribeOptions, 'store'> {
  readonly privileges: Privileges;
  /** Opens the store for those inquiries that need it. */
  withStore<T>(work: (store: Store) => Promise<T>): Promise<T>;
}

/**
 * What a build would make of its Dockerfile.
 * @throws DockerfileError, BuildError
 */
export async function answer(inquiry: Inquiry, request: BuildRequest, options: AnswerOptions): Promise<Answer> {
  switch (inquiry.about) {
    case 'graph': {
      const graph = await options.withStore((store) => describeGraph(request, { ...options, store }));
      return { text: answerFromGraph(inquiry, graph), exitCode: 0 };
    }
    case 'outline': {
      const outline = await options.withStore((store) => describeOutline(request, { ...options, store }));
      const text = inquiry.format === 'json' ? toJson(outline) : escapeControlsInLines(formatOutline(outline));
      return { text, exitCode: 0 };
    }
    case 'check': {
      const file = await options.withStore((store) => checkBuild(request, { ...options, store, rules: ownRules }));
      return answerFromCheck(inquiry, file);
    }
    case 'ast':
    case 'stages':
    case 'targets':
      return { text: answerFromAst(inquiry, await readDockerfile(request, options)), exitCode: 0 };
  }
}

export interface Answer {
  /** For standard output. */
  readonly text: string;
  readonly exitCode: 0 | 1;
}

/** As docker has it, anything that is found is a failure unless it is asked not to be. */
function answerFromCheck({ format, ignoreStatus }: CallInquiry, file: CheckedDockerfile): Answer {
  const { findings, error } = file.report;
  const text = format === 'json' ? toJson(jsonFindings([file])) : humanFindings([file]);
  return { text, exitCode: !ignoreStatus && (findings.length > 0 || error !== undefined) ? 1 : 0 };
}

function answerFromAst({ about, format }: AstInquiry, ast: Ast): string {
  switch (about) {
    case 'ast':
      return toJson({ version: 1, ...ast });
    case 'stages':
      return toJson(stagesJson(ast));
    case 'targets': {
      const list = targetsOf(ast);
      return format === 'json' ? toJson(list) : escapeControlsInLines(formatTargets(list));
    }
  }
}

function answerFromGraph({ format }: GraphInquiry, graph: StepGraph | PlatformGraph): string {
  switch (format) {
    case 'json':
      return toJson(graph);
    case 'mermaid':
      return toMermaid(graph);
    case 'dot':
      return toDot(graph);
  }
}
