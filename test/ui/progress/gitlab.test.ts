import { describe, expect, it } from '@jest/globals';
import { cached, done, log, play, start } from './play.ts';

/** As GitLab looks for its markers. */
// oxlint-disable-next-line no-control-regex -- the marker has one
const marker = /section_(start|end):(\d+):([A-Za-z0-9_.-]+)(\[[^\]]*\])?\r\u001b\[0K/g;

describe('gitlab progress', () => {
  it('folds each step that does something, and tells the others in a line', () => {
    const text = play('gitlab', [
      start('a', '[1/2] FROM busybox'),
      cached('a', 10),
      start('b', '[2/2] RUN make', 5_000),
      log('b', 5_123, 'linking\n'),
      done('b', 6_520),
    ]);
    const sections = [...text.matchAll(marker)];
    expect(sections.map(([, kind, time, , options]) => [kind, time, options])).toEqual([
      ['start', '5', '[collapsed=true]'],
      ['end', '6', undefined],
    ]);
    expect(sections[0]?.[3]).toBe(sections[1]?.[3]);
    expect(text.replaceAll(marker, '').replaceAll('\u001b[0K', '')).toBe(
      '#1 CACHED [1/2] FROM busybox\n#2 [2/2] RUN make\n0.123 linking\n\n#2 DONE 1.5s [2/2] RUN make\n',
    );
  });

  it('takes no marker from a step', () => {
    const forged = '\u001b[0Ksection_start:1:x[collapsed=true]\r\u001b[0Ktitle';
    const text = play('gitlab', [start('a', forged), log('a', 0, `${forged}\n`), done('a', 1)]);
    expect([...text.matchAll(marker)].map(([, , , name]) => name?.slice(0, 8))).toEqual(['slipway_', 'slipway_']);
  });

  it('gives every section a name of its own', () => {
    const text = play(
      'gitlab',
      ['a', 'b'].flatMap((id) => [start(id, id), log(id, 0, 'x\n'), done(id, 1)]),
    );
    expect(new Set([...text.matchAll(marker)].map(([, , , name]) => name)).size).toBe(2);
  });
});
