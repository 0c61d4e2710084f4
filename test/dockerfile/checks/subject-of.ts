import type { FileRule, Subject } from '../../../src/dockerfile/checks/subject.ts';
import { check, type Finding, needKey, parse } from '../../../src/dockerfile/index.ts';
import { type GraphOptions, imageConfig, inputs, linux } from '../build-inputs.ts';

/** What rules of ours find in a file; configs of images are known where `bases` has them. */
export function findingsOf(rules: readonly FileRule[], text: string, options: GraphOptions = {}): readonly Finding[] {
  const { bases = {}, ...changes } = options;
  const configs = new Map(
    Object.entries(bases).map(([name, base]) => [needKey({ name, platform: linux }), imageConfig(base)]),
  );
  const report = check(parse(text), inputs(changes), configs, { rules });
  if (report.error !== undefined) throw report.error;
  return report.findings.filter(({ rule }) => rules.some(({ name }) => name === rule));
}

/** A Dockerfile as rules see it. */
export function subjectOf(text: string): Subject {
  let seen: Subject | undefined;
  const find = (subject: Subject) => {
    seen = subject;
    return [];
  };
  findingsOf([{ name: 'Look', description: '', find }], text);
  if (seen === undefined) throw new Error('no rule was asked');
  return seen;
}
