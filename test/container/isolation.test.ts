import { describe, expect, it } from '@jest/globals';
import { chooseIsolation } from '../../src/container/index.ts';
import { runcWeaknesses } from '../../src/container/runc/weaknesses.ts';
import { currentPrivileges } from '../../src/system/index.ts';
import { whyNot } from './workshop.ts';

describe('chooseIsolation', () => {
  const privileges = currentPrivileges();

  it('refuses an ordinary user without a namespace, with both reasons', () => {
    expect(() => chooseIsolation('auto', { ...privileges, kind: 'none' })).toThrow(
      expect.objectContaining({
        code: 'ISOLATION_UNAVAILABLE',
        details: [expect.stringMatching(/^runc: /), expect.stringMatching(/^sandbox: /)],
      }),
    );
  });

  for (const isolation of ['runc', 'sandbox'] as const) {
    const reason = whyNot(isolation);
    const test =
      reason === undefined ? it : (name: string, _: () => void): void => it.skip(`${name} (${reason})`, () => {});

    test(`finds ${isolation} and says what it lacks`, () => {
      const report = chooseIsolation(isolation, { ...privileges, kind: 'single' });
      expect(report.isolation).toBe(isolation);
      expect(report.description).toMatch(isolation === 'runc' ? /^runc \d/ : /^sandbox \(util-linux \d/);
      expect(report.missing).toContainEqual(expect.stringContaining('only one user id'));
    });
  }
});

describe('holes of runc versions', () => {
  it.each([
    ['1.0.0', 2],
    ['1.1.5+ds1', 2],
    ['1.1.15', 2],
    ['1.2.7', 2],
    ['1.2.8', 1],
    ['1.3.2', 2],
    ['1.3.3', 1],
    ['1.3.6', 0],
    ['1.4.0', 1],
    ['1.4.3', 0],
    ['1.5.0', 0],
    ['1.6.0-rc.1', 0],
    ['2.0.0', 0],
  ])('%s has %i', (version, count) => {
    expect(runcWeaknesses(version).length).toBe(count);
  });
});
