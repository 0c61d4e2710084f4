import { imageStages, textsOf } from '../stages/lineage.ts';
import type { FileRule, SubjectStage } from '../subject.ts';

/** Programs that an image starts as root to become another user. */
const changesUser = /\b(?:gosu|su-exec|setpriv|runuser|chpst|s6-overlay|s6-setuidgid|setuidgid|supervisord|fixuid)\b/;

export const missingUser: FileRule = {
  name: 'MissingUser',
  description: 'What an image starts should not run as root',
  url: 'docs/checks/missing-user.md',
  *find(subject) {
    const stages = imageStages(subject);
    const target = stages.at(-1);
    if (target === undefined || !isRoot(target.user) || !startsSomething(stages)) return;
    const commands = stages.flatMap((stage) => stage.commands);
    if (commands.some(({ instruction }) => textsOf(instruction).some((text) => changesUser.test(text)))) return;
    const last = commands.findLast(({ command }) => command.kind === 'user');
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

function startsSomething(stages: readonly SubjectStage[]): boolean {
  const kinds = stages.flatMap(({ commands }) => commands.map(({ command }) => command.kind));
  if (kinds.includes('cmd') || kinds.includes('entrypoint')) return true;
  const base = stages[0]?.base;
  if (base?.kind !== 'image') return false;
  const { Cmd = [], Entrypoint = [] } = base.config?.config ?? {};
  return Cmd.length + Entrypoint.length > 0;
}
