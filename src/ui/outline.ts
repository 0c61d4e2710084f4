import type { Outline } from '../dockerfile/index.ts';
import { formatTable } from './table.ts';

const columns = { minimumWidth: 0, padding: 3 };

/** The outline as BuildKit prints it. */
export function formatOutline({ name = '', description = '', args = [], secrets = [], ssh = [] }: Outline): string {
  const parts: string[] = [];
  if (name !== '' || description !== '') {
    const rows = [['TARGET:', name === '' ? '(default)' : name]];
    if (description !== '') rows.push(['DESCRIPTION:', description]);
    parts.push(formatTable(rows, { minimumWidth: 0, padding: 1 }));
  }
  if (args.length > 0) {
    const rows = args.map((arg) => [arg.name, arg.value ?? '', arg.description ?? '']);
    parts.push(formatTable([['BUILD ARG', 'VALUE', 'DESCRIPTION'], ...rows], columns));
  }
  for (const [title, list] of [
    ['SECRET', secrets],
    ['SSH', ssh],
  ] as const) {
    if (list.length === 0) continue;
    const rows = list.map((each) => [each.name, each.required === true ? 'true' : '']);
    parts.push(formatTable([[title, 'REQUIRED'], ...rows], columns));
  }
  return parts.map((part) => `${part}\n`).join('');
}
