import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findExecutable } from '../../src/system/index.ts';
import { scratchFolder, succeeds } from './scratch.ts';

// Needs a user without privileges: nobody, when this is root, with subordinate ids granted in mounts of this test alone.
const user = process.getuid?.() === 0 ? 65_534 : (process.getuid?.() ?? 0); // newuidmap wants one with a name
const root = process.getuid?.() === 0;
const asUser = root ? ['setpriv', '--reuid', String(user), '--regid', String(user), '--clear-groups', '--'] : [];
const source = fileURLToPath(new URL('../../src/system/index.ts', import.meta.url));
// A checkout in root's home is closed to nobody.
const read = [...asUser, process.execPath, '-e', 'require("fs").accessSync(process.argv[1])', source];
const unshare = [...asUser, 'unshare', '--user', '--mount', 'true'];
const namespaces = [read, unshare].every(([command = '', ...args]) => succeeds(command, args));
const mayGrant =
  root &&
  succeeds('unshare', ['--mount', 'true']) &&
  fs.existsSync('/etc/subgid') &&
  findExecutable('newuidmap') !== undefined;
const withNamespaces = namespaces ? it : it.skip;
// An ordinary user who runs this may have ids granted on the machine.
const withoutSubordinates = namespaces && root ? it : it.skip;
const withSubordinates = namespaces && mayGrant ? it : it.skip;
if (!namespaces) process.stderr.write('skipped: tests that need user namespaces, and sources that others may read\n');
else if (!mayGrant) process.stderr.write('skipped: tests that need root and newuidmap\n');

const scratch = scratchFolder();
const launcher = path.join(scratch, 'launch.ts');
beforeAll(() => {
  fs.chmodSync(scratch, 0o777);
  const module = new URL('../../src/system/index.ts', import.meta.url).href;
  fs.writeFileSync(
    launcher,
    `import { enterUserNamespace } from ${JSON.stringify(module)};
    try {
      const exit = await enterUserNamespace(process.argv.slice(2), { onSingleId: (reason) => console.log('single:', reason) });
      console.log(JSON.stringify(exit));
    } catch (error) {
      console.log(error.code, error.message, error.hint);
    }`,
  );
  fs.writeFileSync(path.join(scratch, 'subids'), `${user}:100000:65536\n${user}:300000:10\n`);
});
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

/** The command line of the launcher as an ordinary user, who has subordinate ids or not. */
function launch(
  command: readonly string[],
  options: { readonly granted?: boolean; readonly before?: string } = {},
): string[] {
  const node = [...asUser, process.execPath, launcher, ...command];
  const steps = options.granted === true ? 'mount --bind "$0" /etc/subuid; mount --bind "$0" /etc/subgid;' : '';
  if (steps === '' && options.before === undefined) return node;
  const inside = ['sh', '-c', `${steps} ${options.before ?? ''} exec "$@"`, path.join(scratch, 'subids'), ...node];
  return options.granted === true ? ['unshare', '--mount', ...inside] : inside;
}

function runLaunch(command: readonly string[], options: { readonly granted?: boolean } = {}): string[] {
  const [file = '', ...args] = launch(command, options);
  const result = spawnSync(file, args, { encoding: 'utf8' });
  return [...result.stdout.trim().split('\n'), ...(result.stderr === '' ? [] : [result.stderr])];
}

const sh = (script: string): string[] => ['/bin/sh', '-c', script];

describe('enterUserNamespace', () => {
  withoutSubordinates('runs the command as root, with one id where none are granted, and says so', () => {
    const [said, ids, map, exit] = runLaunch(sh('id -u; awk "{print \\$1, \\$3}" /proc/self/uid_map'));
    expect([said, ids, map, exit]).toEqual([
      expect.stringContaining('single: /etc/subuid grants no ids'),
      '0',
      '0 1',
      '{"code":0}',
    ]);
  });

  withSubordinates('maps all ranges granted to the user, the same each time', () => {
    const show = sh('awk "{print \\$1, \\$2, \\$3}" /proc/self/uid_map /proc/self/gid_map');
    const maps = [`0 ${user} 1`, '1 100000 65536', '65537 300000 10'];
    for (let times = 0; times < 2; times++) {
      expect(runLaunch(show, { granted: true })).toEqual([...maps, ...maps, '{"code":0}']);
    }
  });

  withSubordinates('lets files be given to other owners, who are the same in the next namespace', () => {
    const file = path.join(scratch, 'owned');
    expect(runLaunch(sh(`echo x >${file}; chown 33:44 ${file}`), { granted: true })).toEqual(['{"code":0}']);
    expect(fs.statSync(file)).toMatchObject({ uid: 100_032, gid: 100_043 });
    expect(runLaunch(sh(`stat -c %u:%g ${file}; rm ${file}`), { granted: true })).toEqual(['33:44', '{"code":0}']);
  });

  withSubordinates('mounts there, and leaves none behind', () => {
    const target = path.join(scratch, 'mounted');
    fs.mkdirSync(target);
    const lines = runLaunch(sh(`mount -t tmpfs none ${target} && echo x >${target}/x && ls ${target}; id -G`), {
      granted: true,
    });
    expect(lines).toEqual(['x', '0', '{"code":0}']);
    expect(fs.readdirSync(target)).toEqual([]);
  });

  const inside = path.join(scratch, 'inside.ts');
  beforeAll(() => {
    const module = new URL('../../src/system/index.ts', import.meta.url).href;
    fs.writeFileSync(
      inside,
      `import fs from 'node:fs'; import { currentPrivileges, mountRoot, probeOverlay } from ${JSON.stringify(module)};
      const folder = fs.mkdtempSync(process.argv[2] + '/inside-');
      fs.mkdirSync(folder + '/target');
      console.log(currentPrivileges().kind, probeOverlay(folder, { userXattr: true }));
      mountRoot({ kind: 'directory', path: folder, readOnly: true }, folder + '/target');
      try { fs.writeFileSync(folder + '/target/x', ''); } catch (error) { console.log(error.code); }`,
    );
  });

  withoutSubordinates('allows overlays and read-only mounts with one id', () => {
    expect(runLaunch([process.execPath, inside, scratch]).slice(1)).toEqual(['single true', 'EROFS', '{"code":0}']);
  });

  withSubordinates('allows overlays and read-only mounts with many', () => {
    const lines = runLaunch([process.execPath, inside, scratch], { granted: true });
    expect(lines).toEqual(['mapped true', 'EROFS', '{"code":0}']);
  });

  const exits: readonly (readonly [string, string, string])[] = [
    ['an exit code', 'exit 42', '{"code":42}'],
    ['a signal', 'kill -TERM $$', '{"code":143,"signal":"SIGTERM"}'],
  ];
  withNamespaces.each(exits)('keeps %s', (_name, script, expected) => {
    expect(runLaunch(sh(script)).at(-1)).toBe(expected);
  });

  withNamespaces('leaves no descriptor of its own to the command', () => {
    expect(
      runLaunch(sh('for fd in 3 4 5; do [ -e /proc/self/fd/$fd ] && echo "open $fd"; done; echo done')).slice(-2),
    ).toEqual(['done', '{"code":0}']);
  });

  withNamespaces.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('passes on %s', async (signal) => {
    const trap = `trap 'echo got; exit 7' ${signal.slice(3)}; echo ready; while :; do sleep 0.02; done`;
    const [file = '', ...args] = launch(sh(trap));
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    let output = '';
    for await (const chunk of child.stdout) {
      output += String(chunk);
      if (output.endsWith('ready\n')) child.kill(signal);
    }
    expect(output).toMatch(/ready\ngot\n\{"code":7\}\n$/);
  });

  withNamespaces('takes the command down with it when killed', async () => {
    const [file = '', ...args] = launch(sh('echo $$; exec sleep 60'));
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    while (!/^\d+\n$/m.test(output)) output += String(((await once(child.stdout, 'data')) as [Buffer])[0]);
    const pid = Number(output.trim().split('\n').at(-1));
    child.kill('SIGKILL');
    const state = (): string =>
      fs.existsSync(`/proc/${pid}/stat`) ? fs.readFileSync(`/proc/${pid}/stat`, 'utf8') : 'gone';
    while (!/gone|\) Z /.test(state())) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  withNamespaces('says in one message that namespaces are forbidden, why, and what to do', () => {
    // The limit of a namespace holds below it alone, so the machine's is not touched.
    const nested = ['unshare', '--user', '--map-root-user', 'sh', '-c'];
    const forbid = `echo 0 >/proc/sys/user/max_user_namespaces; exec setpriv --bounding-set -all --inh-caps -all "$@"`;
    const result = spawnSync(
      nested[0] ?? '',
      [...nested.slice(1), forbid, 'sh', process.execPath, launcher, '/bin/true'],
      { encoding: 'utf8' },
    );
    expect(result.stdout).toContain('USER_NAMESPACE_FORBIDDEN');
    expect(result.stdout).toContain('user.max_user_namespaces is 0 sudo sysctl');
  });
});
