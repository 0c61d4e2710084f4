import { describe, expect, test } from '@jest/globals';
import { checkEntitlements, confinementOf, hostNames, networkOf } from '../../../src/build/run/confinement.ts';
import type { BuildRequest, ConfinementRequest } from '../../../src/build/index.ts';
import type { RunStep, StepGraph } from '../../../src/dockerfile/index.ts';

const request: ConfinementRequest = {
  limits: {},
  names: { hosts: [], servers: [], search: [], options: [] },
  security: { seccomp: 'default', noNewPrivileges: false, unmasked: false },
  allow: [],
};
const step = (given: Partial<RunStep> = {}): RunStep => ({
  kind: 'run',
  id: 's1',
  title: '[2/2] RUN x',
  stage: '0',
  location: { start: 2, end: 2 },
  input: undefined,
  args: ['x'],
  env: [],
  proxyEnv: [],
  user: '',
  cwd: '/',
  network: 'default',
  security: 'sandbox',
  mounts: [],
  pipes: [],
  ...given,
});

test.each([
  ['default', 'default', 'default'],
  ['default', 'none', 'none'],
  ['default', 'host', 'host'],
  ['none', 'host', 'none'],
  ['none', 'default', 'none'],
  ['host', 'none', 'host'],
  ['host', 'default', 'host'],
] as const)('a step’s network %s in a build’s %s is %s', (own, build, expected) => {
  expect(networkOf(step({ network: own }), { network: build })).toBe(expected);
});

describe('entitlements', () => {
  const check = (
    given: Partial<RunStep>,
    build: Partial<Pick<BuildRequest, 'network'>> & { allow?: ConfinementRequest['allow'] },
  ): void => {
    const graph = { steps: [step(given)] } as unknown as StepGraph;
    const whole = {
      network: build.network ?? 'default',
      confinement: { ...request, allow: build.allow ?? [] },
    } as BuildRequest;
    checkEntitlements(graph, whole, { name: 'Dockerfile', text: Buffer.from('FROM a\nRUN x\n') });
  };

  test.each([
    [{ network: 'host' }, {}, 'network.host is not allowed'],
    [{ network: 'host' }, { allow: ['security.insecure'] }, 'network.host is not allowed'],
    [{ security: 'insecure' }, {}, 'security.insecure is not allowed'],
    [{ security: 'insecure' }, { network: 'host' }, 'security.insecure is not allowed'],
  ] as const)('%j is refused with %j', (given, build, message) => {
    expect(() => check(given, build)).toThrow(message);
  });

  test.each([
    [{}, {}],
    [{ network: 'none' }, {}],
    [{ network: 'host' }, { allow: ['network.host'] }],
    [{ network: 'host' }, { network: 'host' }],
    [{ security: 'insecure' }, { allow: ['security.insecure'] }],
  ] as const)('%j is allowed with %j', (given, build) => {
    expect(() => check(given, build)).not.toThrow();
  });

  test('the refusal shows the line', () => {
    expect.assertions(1);
    try {
      check({ security: 'insecure' }, {});
    } catch (error) {
      expect((error as { details: readonly string[] }).details.join('\n')).toContain('2 | >>> RUN x');
    }
  });
});

test('a step is insecure by its own word alone', () => {
  expect(confinementOf(step(), request).security?.insecure).toBe(false);
  expect(confinementOf(step({ security: 'insecure' }), undefined).security?.insecure).toBe(true);
});

test('names of --add-host count for the cache, in any order, addresses do not', () => {
  const hosts = [
    { name: 'b', address: '1.1.1.1' },
    { name: 'a', address: '2.2.2.2' },
  ];
  expect(hostNames({ ...request, names: { ...request.names, hosts } })).toEqual(['a', 'b']);
  expect(hostNames(undefined)).toEqual([]);
});
