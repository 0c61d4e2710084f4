/** What both kinds of tests share. */
const common = {
  extensionsToTreatAsEsm: ['.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist-single/'], // another package.json of the same name
  setupFiles: ['<rootDir>/test/property-seed.ts'],
  // The package's own name, as the examples use it; tsconfig.json says the same.
  moduleNameMapper: { '^slipway/dockerfile$': '<rootDir>/src/dockerfile/index.ts' },
  transform: { '\\.ts$': '<rootDir>/test/strip-types.js' },
};

/** @type {import('jest').Config} */
export default {
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/e2e/'],
    },
    {
      ...common,
      displayName: 'e2e',
      testMatch: ['<rootDir>/test/e2e/**/*.test.ts'],
      globalSetup: '<rootDir>/test/e2e/set-up.js',
      globalTeardown: '<rootDir>/test/e2e/tear-down.js',
    },
  ],
  collectCoverageFrom: ['src/**/*.ts'],
  coverageProvider: 'babel', // v8's costs four times the CPU under vm modules
  testTimeout: 60_000, // ends what hangs, also on a machine with much else to do
};
