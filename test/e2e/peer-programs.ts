import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { describe } from '@jest/globals';
import { run, type RunOptions } from './run-cli.ts';

/** As `describe`, and skipped with a word unless this is root and all the programs are installed. */
export function describeWith(programs: readonly string[], title: string, tests: () => void): void {
  const paths = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  const missing = programs.filter((program) => !paths.some((folder) => existsSync(join(folder, program))));
  const reasons = [
    ...(process.getuid?.() === 0 ? [] : ['needs root']),
    ...(missing.length === 0 ? [] : [`needs ${missing.join(', ')}`]),
  ];
  if (reasons.length === 0) describe(title, tests);
  else describe.skip(`${title} (${reasons.join('; ')})`, tests);
}

/** Other people's programs, each with all of its files below one folder. */
export interface PeerPrograms {
  skopeo(...args: string[]): Promise<string>;
  umoci(...args: string[]): Promise<string>;
  podman(...args: string[]): Promise<string>;
  buildah(...args: string[]): Promise<string>;
}

/** Makes the folder that they work in; what they unpack must be taken away by `podman system reset`-like commands or with the folder. */
export async function peerPrograms(folder: string): Promise<PeerPrograms> {
  const temporary = join(folder, 'tmp');
  await mkdir(temporary, { recursive: true });
  const conf = join(folder, 'containers.conf');
  await writeFile(conf, containersConf(folder));
  await writeFile(join(folder, 'registries.conf'), 'unqualified-search-registries = []\n');
  const policy = join(folder, 'policy.json');
  await writeFile(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
  const env = {
    PATH: `${process.env['PATH']}:/usr/sbin:/sbin`,
    HOME: folder,
    TMPDIR: temporary,
    XDG_RUNTIME_DIR: temporary,
    CONTAINERS_CONF: conf,
    CONTAINERS_REGISTRIES_CONF: join(folder, 'registries.conf'),
    BUILDAH_ISOLATION: 'oci',
  };
  // vfs works on every file system, and shows the tree as plain folders.
  const storage = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
  const call =
    (program: string, before: readonly string[]) =>
    (...args: string[]): Promise<string> =>
      succeed(program, [...before, ...args], { env });
  return {
    skopeo: call('skopeo', ['--tmpdir', temporary, '--policy', policy]),
    umoci: call('umoci', []),
    podman: call('podman', [...storage, '--tmpdir', join(folder, 'libpod'), '--cgroup-manager', 'cgroupfs']),
    buildah: call('buildah', storage),
  };
}

/** Runs a program and fails with all its output if it fails. Resolves to standard output. */
export async function succeed(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, signal, stdout, stderr } = await run(program, args, options);
  if (code === 0) return stdout;
  throw new Error(`${program} ${args.join(' ')} ended with ${signal ?? code}\n${stdout}\n${stderr}`);
}

/** Limits that need no CAP_SYS_RESOURCE, and the host's network: bridges are not what is tested. */
function containersConf(folder: string): string {
  return `[containers]
netns = "host"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
lock_type = "file"
events_logger = "none"
tmp_dir = "${join(folder, 'libpod')}"
[network]
network_config_dir = "${join(folder, 'networks')}"
`;
}

/**
 * A tree as `path|type|mode|owner:group|size|links|target|time` lines, sorted: folders without size, links and time, and without
 * what runtimes put into a root file system themselves.
 */
export async function listTree(root: string): Promise<string[]> {
  const format = '%P|%y|%m|%U:%G|%s|%n|%l|%T@\\n';
  const names = await run('find', ['.', '-mindepth', '1', '-printf', format], {
    cwd: root,
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
  });
  return names.stdout
    .trimEnd()
    .split('\n')
    .filter((line) => !/^(?:dev|proc|sys|run|data|etc\/(?:hosts|hostname|resolv\.conf))(?:\/|\|)/.test(line))
    .map((line) => {
      const [path, type, mode, owner, size, links, target, time] = line.split('|');
      const rest = type === 'd' ? [] : [size, links, target, String(Math.floor(Number(time)))];
      return [path, type, mode, owner, ...rest].join('|');
    })
    .sort();
}

/** Unpacks a tar of a root file system with GNU tar, as root. */
export async function untar(archive: string, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await succeed('tar', ['-x', '-p', '--numeric-owner', '--same-owner', '-f', archive, '-C', folder]);
  return folder;
}
