export type { Fault, FaultPoint, FaultRule, Operation } from './fault.ts';
export { FaultPlan, type FaultPlanOptions, type InflictedFault, type RequestFilter } from './fault-plan.ts';
export type { RequestListener } from './inflict.ts';
export { operationOf } from './operation.ts';
export { parseFaults, readFaults } from './parse-faults.ts';
