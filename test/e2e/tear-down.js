import { globSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { machineState } from './machine-leftovers.ts';

/** Jest's globalTeardown of the end-to-end tests: what they left on the machine makes the run fail. */
// oxlint-disable-next-line import/no-default-export -- jest asks for one
export default async function tearDown() {
  rmSync(globalThis.sharedByTests, { recursive: true, force: true });
  let left = leftovers();
  // What the kernel or a detached sync still ends is gone soon.
  for (let wait = 10; left.length > 0 && wait < 5000 && !othersRun(); wait *= 2) {
    await delay(wait);
    left = leftovers();
  }
  if (left.length === 0) return;
  const message = `the end-to-end tests left on this machine:\n  ${left.join('\n  ')}`;
  if (othersRun()) console.warn(`${message}\nOther tests are running here; it may be theirs.`);
  else throw new Error(message);
}

function leftovers() {
  return [...machineState()].filter((each) => !globalThis.machineBeforeTests.has(each));
}

/** Another jest on this machine. */
function othersRun() {
  return globSync('/proc/[0-9]*').some((folder) => {
    try {
      const [program = '', ...args] = readFileSync(`${folder}/cmdline`, 'utf8').split('\0');
      const isOwn = [process.pid, process.ppid].includes(Number(folder.slice('/proc/'.length)));
      return !isOwn && program.endsWith('node') && args.some((arg) => arg.endsWith('/jest.js'));
    } catch {
      return false; // it ended meanwhile
    }
  });
}
