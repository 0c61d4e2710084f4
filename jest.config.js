/** @type {import('jest').Config} */
export default {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/strip-types.js' },
  collectCoverageFrom: ['src/**/*.ts'],
  coverageProvider: 'babel', // v8's costs four times the CPU under vm modules
  testTimeout: 20_000,
};
