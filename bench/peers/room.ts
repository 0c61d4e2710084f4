import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Command } from '../measure/index.ts';
import { project } from '../places/index.ts';

/** What tools/fetch-bench-peers.sh makes. */
const folder = join(project, '.cache', 'bench-peers');
export const debianRoot = join(folder, 'root');
const buildkit = join(folder, 'buildkit');

/** False until tools/fetch-bench-peers.sh has run: `make bench-peers`. */
export function hasNewestPeers(): boolean {
  return existsSync(join(folder, 'complete'));
}

/**
 * Becomes the first process of name spaces of its own: the newer Debian as root, memory above it (nothing is written to that
 * Debian), and the benchmark's folders at their own paths. Says its process id as the machine sees it, and waits.
 */
const script = `
root=$1 buildkit=$2 scratch=$3
shift 3
mkdir -p "$scratch"
mount -t tmpfs -o mode=755 tmpfs "$scratch"
cd "$scratch"
mkdir upper work root
mount -t overlay -o "lowerdir=$root,upperdir=upper,workdir=work" overlay root
cd root
read -r pid rest < /proc/self/stat
mkdir -p usr/local/bin old tmp run root
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
if [ -d "$buildkit" ]; then mount --bind "$buildkit" usr/local/bin; fi
for folder in "$@"; do
  mkdir -p "./$folder"
  mount --rbind "$folder" "./$folder"
done
pivot_root . old
cd /
umount -l old
echo "$pid"
exec sleep infinity
`;

/** Debian trixie's builders, started without being installed. All that they mount and start ends with the room. */
export class Room {
  /** Its first process: daemons in the room that lose their parent become its children. */
  readonly pid: number;
  /** BuildKit is in no release of Debian; the script builds it when it is given its source. */
  readonly hasBuildkit = existsSync(join(buildkit, 'buildkitd'));
  readonly #holder: ChildProcess;

  constructor(holder: ChildProcess, pid: number) {
    this.#holder = holder;
    this.pid = pid;
  }

  /** The folders are seen in the room under their own paths. @throws Error when this user may not make such name spaces */
  static async open(folders: readonly string[]): Promise<Room> {
    const unshare = ['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'];
    const shell = ['/bin/sh', '-euc', script, 'room', debianRoot, buildkit, join(folder, 'scratch'), ...folders];
    // Should this process be killed, the room goes too.
    const holder = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', ...unshare, ...shell], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a terminal's interrupt is for the benchmark, which then closes the room
    });
    let problem = '';
    holder.stderr.on('data', (chunk: Buffer) => {
      problem += chunk.toString('utf8');
    });
    for await (const line of createInterface({ input: holder.stdout })) return new Room(holder, Number(line));
    throw new Error(`no room for the newest peers; root and name spaces are needed: ${problem.trim()}`);
  }

  /** A program of the room as one starts it from outside. */
  command(...command: [program: string, ...args: string[]]): Command {
    const spaces = [`--mount=/proc/${this.pid}/ns/mnt`, `--pid=/proc/${this.pid}/ns/pid`];
    const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    return ['nsenter', ...spaces, '--', '/usr/bin/env', path, ...command];
  }

  has(program: string): boolean {
    const folders = [buildkit, ...['bin', 'sbin'].map((each) => join(debianRoot, 'usr', each))];
    return folders.some((each) => existsSync(join(each, program)));
  }

  async close(): Promise<void> {
    if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#holder.once('exit', resolve));
    process.kill(this.pid, 'SIGKILL');
    await ended;
  }
}
