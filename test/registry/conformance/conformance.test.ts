import { openMemoryStorage, startRegistry } from '../../../src/registry/index.ts';
import { embeddedRegistry } from '../embedded.ts';
import { conformance } from './suite.ts';

conformance('a registry on disk', () => embeddedRegistry({ sparse: true }));
conformance('a registry in memory', () => startRegistry({ storage: openMemoryStorage(), sparse: true }));
