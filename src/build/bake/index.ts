export { listTargets, type ListedTarget, printable, printTarget } from './definition/print.ts';
export type { Definition, Entry, Group, SshEntry, Target, VariableInfo } from './definition/target.ts';
export { loadDefinition, type LoadDefinitionOptions, lookupIn } from './load.ts';
export { bake, type BakeJob, type BakeResults } from './run.ts';
export { isRemote, type Selection, type SelectOptions, selectTargets } from './definition/select.ts';
