export { parseDefinition } from './definition/parse.ts';
export { listTargets, type ListedTarget, printable } from './definition/print.ts';
export { type Selection, type SelectOptions, selectTargets } from './definition/select.ts';
export type { Definition, Entry, Group, SshEntry, Target, VariableInfo } from './definition/target.ts';
export { loadDefinition, type LoadDefinitionOptions, lookupIn } from './load.ts';
