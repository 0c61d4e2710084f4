import fc from 'fast-check';

/** Property tests draw the same cases in every run, so that a failure is the change's own; PROPERTY_SEED=random looks further. */
const seed = process.env['PROPERTY_SEED'] ?? '20261121';
if (seed !== 'random') fc.configureGlobal({ seed: Number(seed) });
