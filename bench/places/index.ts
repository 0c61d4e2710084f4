export { bundled } from './bundle.ts';
export { into, pipeline, project, run, script, slipway, work } from './command.ts';
export { makePlace, Place, type PlaceKind, possibleKinds } from './place.ts';
