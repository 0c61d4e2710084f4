import { spawnSync } from 'node:child_process';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';

/**
 * What there is on this machine that a build, a container or a test makes: mounts, processes, cgroups, networks, temporary folders,
 * users. Nothing here is asked of Slipway: what it has forgotten is looked for where the kernel knows it.
 */
export function machineState(): ReadonlySet<string> {
  return new Set([...mounts(), ...processes(), ...cgroups(), ...networks(), ...temporaryFolders(), ...users()]);
}

/** A step's container: a build's id and a number. */
const container = /\bb[0-9a-f]{16}(-\d+)?\b/;
const ownFolder = /\/\.?slipway-[^/]*/;

function mounts(): string[] {
  const points = linesOf('/proc/self/mountinfo').map((line) => line.split(' ')[4] ?? '');
  return points.filter((point) => ownFolder.test(point) || container.test(point)).map((point) => `mount ${point}`);
}

/** Programs that were given a folder of ours, and whatever runs in a container's cgroup. */
function processes(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const command = linesOf(`/proc/${pid}/cmdline`).join(' ').replaceAll('\0', ' ').trimEnd();
      const isOurs = ownFolder.test(command) || container.test(linesOf(`/proc/${pid}/cgroup`).join(' '));
      // A store's sync goes on by design when its command has ended.
      return isOurs && !command.startsWith('sync -f') ? [`process ${pid} ${command}`] : [];
    });
}

function cgroups(): string[] {
  const folders = [
    ...globSync('/sys/fs/cgroup/**/b[0-9a-f]*-[0-9]*/', { exclude: ['**/*.slice/**'] }),
    ...globSync('/sys/fs/cgroup/**/slipway*/'),
  ];
  return folders.filter((folder) => container.test(folder)).map((folder) => `cgroup ${folder}`);
}

/** Bridges, the rules that come with them, and namespaces with a name. */
function networks(): string[] {
  const bridges = readdirSync('/sys/class/net').filter((name) => /^slw[0-9a-f]{8}$/.test(name));
  const named = globSync('/run/netns/*');
  const rules = spawnSync('iptables-save', { encoding: 'utf8' }).stdout ?? '';
  const chains = rules.match(/^:NETAVARK-[0-9A-F]{13}\b/gm) ?? [];
  return [
    ...bridges.map((name) => `bridge ${name}`),
    ...named.map((name) => `network namespace ${name}`),
    ...chains.map((name) => `firewall chain ${name.slice(1)}`),
  ];
}

function temporaryFolders(): string[] {
  const places = new Set([tmpdir(), '/tmp', '/dev/shm', process.env['SLIPWAY_TEST_DIR'] ?? '/tmp']);
  return (
    Array.from(places, (place) => globSync(`${place}/{.,}slipway-*`))
      .flat()
      // `slipway-UID` is where stores of a user without XDG_RUNTIME_DIR are marked until the machine restarts.
      .filter((folder) => !/slipway-\d+$/.test(folder))
      .map((folder) => `folder ${folder}`)
  );
}

function users(): string[] {
  return linesOf('/etc/passwd')
    .filter((line) => line.startsWith('slipway-'))
    .map((line) => `user ${line.split(':')[0]}`);
}

/** Lines of a file; none where it is gone meanwhile. */
function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}
