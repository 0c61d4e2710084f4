import { type BakeDefinition, listTargets } from '../../build/index.ts';
import { escapeControls } from '../escape.ts';
import { toJson } from '../json.ts';
import { formatTable } from '../table.ts';
import type { Listing } from './flags.ts';

/** `--list`: what a definition has, sorted by name. */
export function listDefinition(definition: BakeDefinition, { type, format }: Listing): string {
  const isTargets = type === 'targets';
  const variables = definition.variables.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const targets = listTargets(definition);
  if (format === 'json') return toJson(isTargets ? targets : variables);
  const rows = isTargets
    ? [['TARGET', 'DESCRIPTION'], ...targets.map(({ name, description = '' }) => [name, description])]
    : [
        ['VARIABLE', 'TYPE', 'VALUE', 'DESCRIPTION'],
        ...variables.map((each) => [each.name, each.type ?? '', each.value ?? '<null>', each.description ?? '']),
      ];
  return formatTable(rows.map((row) => row.map(escapeControls)));
}
