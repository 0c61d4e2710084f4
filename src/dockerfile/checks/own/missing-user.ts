import { lineageOf } from '../stages/lineage.ts';
import type { FileRule, Subject, SubjectStage } from '../subject.ts';

/** Programs that an image starts as root to become another user. */
const changesUser = /\b(?:gosu|su-exec|setpriv|runuser|chpst|s6-overlay|s6-setuidgid|setuidgid|supervisord|fixuid)\b/;

export const missingUser: FileRule = {
  name: 'MissingUser',
  description: 'What an image starts should not run as root',
  url: 'docs/checks/missing-user.md',
  *find(subject) {
    const target = subject.stages.find(({ isTarget }) => isTarget);
    if (target === undefined || !isRoot(target.user) || !startsSomething(subject, target)) return;
    const lineage = lineageOf(subject, target);
    const lines = lineage.flatMap(({ commands }) => commands.map(({ instruction }) => instruction.line));
    if (lines.some((line) => changesUser.test(line))) return;
    const last = lineage.flatMap(({ commands }) => commands).findLast(({ command }) => command.kind === 'user');
    const { range, comments } = last?.instruction ?? target.instruction;
    yield {
      message:
        last === undefined
          ? 'No USER is set: what the image starts runs as root'
          : 'The last USER is root: what the image starts runs as root',
      range,
      comments,
      ...(last === undefined ? {} : { part: { arg: 0 } }),
    };
  },
};

function isRoot(user: string | undefined): boolean {
  return user !== undefined && /^(?:|root|0+)(?::.*)?$/.test(user);
}

function startsSomething(subject: Subject, target: SubjectStage): boolean {
  const lineage = lineageOf(subject, target);
  if (
    lineage.some(({ commands }) => commands.some(({ command: { kind } }) => kind === 'cmd' || kind === 'entrypoint'))
  ) {
    return true;
  }
  const base = lineage[0]?.base;
  if (base?.kind !== 'image') return false;
  const { Cmd = [], Entrypoint = [] } = base.config?.config ?? {};
  return Cmd.length + Entrypoint.length > 0;
}
