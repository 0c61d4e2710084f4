import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { progressFor, timelineFile } from '../../../src/ui/index.ts';
import { type Timed, failed, log, plan, Screen, start } from './play.ts';

const secret = 'hunter2-"of the step"';
const events: readonly Timed[] = [
  plan({ id: 'a' }),
  start('a', 'RUN leak'),
  log('a', 1, `before ${secret}\n${Buffer.from(`me:${secret}`).toString('base64')}\n`),
  failed('a', 2, `exit code: 1 ${secret}`),
];
const leaks = /hunter2|aHVudGVyM|h1bnRlcj|odW50ZXIy/;

describe('files that are left of a build', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-secrets-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('have no secret that a step wrote: the timeline', async () => {
    const path = join(folder, 'timeline.html');
    const timeline = timelineFile(path);
    timeline.hide?.(() => [Buffer.from(secret)]);
    for (const [, event] of events) timeline.event(event);
    timeline.end(new Error(`it failed: ${secret}`));
    await timeline.close?.();
    const page = readFileSync(path, 'utf8');
    expect(page).toContain('before ***');
    expect(page).not.toMatch(leaks);
  });

  it('have no secret that a step wrote: the job summary, and annotations', () => {
    const path = join(folder, 'summary.md');
    const screen = new Screen('pipe');
    const progress = progressFor('github', screen, { env: { GITHUB_STEP_SUMMARY: path }, dockerfile: 'Dockerfile' });
    progress.hide?.(() => [Buffer.from(secret)]);
    for (const [, event] of events) progress.event(event);
    progress.end(new Error(`it failed: ${secret}`));
    process.removeListener('exit', process.listeners('exit').at(-1) as NodeJS.ExitListener);
    const summary = readFileSync(path, 'utf8');
    expect(summary).toContain('before ***');
    expect(summary).not.toMatch(leaks);
    const annotation = screen.text.split('\n').find((line) => line.startsWith('::error'));
    expect(annotation).toContain('before ***');
    expect(annotation).not.toMatch(leaks);
  });
});
