/** What both kinds of tests share. */
const common = {
  extensionsToTreatAsEsm: ['.ts'],
  setupFiles: ['<rootDir>/test/property-seed.ts'],
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
      globalSetup: '<rootDir>/test/e2e/build-once.js',
    },
  ],
  collectCoverageFrom: ['src/**/*.ts'],
  coverageProvider: 'babel', // v8's costs four times the CPU under vm modules
  testTimeout: 20_000,
};
