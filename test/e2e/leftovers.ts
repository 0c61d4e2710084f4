import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * What commands on the store below `home` have left on the machine and should not have: mounts, processes, containers, locks,
 * half-written files other than downloads that the next one goes on with. Empty is right.
 */
export async function leftovers(home: string): Promise<string[]> {
  return [...mountsBelow(home), ...processesBelow(home), ...storeGarbage(join(home, 'store'))];
}

function mountsBelow(home: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(`${home}/`))
    .map((point) => `mount ${point}`);
}

/** Processes other than this one whose command line, root or mounts lie there. */
function processesBelow(home: string): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid) continue;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      // A store's sync goes on by design when its command has ended.
      const ours = command.includes(home) && !/docker-registry|sync -f/.test(command);
      if (ours || hasMountsBelow(pid, home)) found.push(`process ${pid} ${command}`);
    } catch {
      // it ended meanwhile
    }
  }
  return found;
}

/** Containers see files of their bundle; `home` itself may be a mount point that every process sees. */
function hasMountsBelow(pid: string, home: string): boolean {
  const lines = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').split('\n');
  return lines.some((line) => {
    const [, , , root = '', point = ''] = line.split(' ');
    return [root, point].some((path) => path.includes(`${home.split('/').at(-1)}/store/containers/`));
  });
}

function storeGarbage(store: string): string[] {
  const names = (folder: string): string[] => (existsSync(join(store, folder)) ? readdirSync(join(store, folder)) : []);
  const files = ['containers', 'ingest', 'locks', 'snapshots/.trash'].flatMap((folder) =>
    names(folder).map((name) => `${folder}/${name}`),
  );
  return [...files.filter((name) => !name.startsWith('ingest/partial-')), ...rowsInWork(store)];
}

/** Rows that stand for work going on; nothing is at work any more. */
function rowsInWork(store: string): string[] {
  const file = join(store, 'slipway.db');
  if (!existsSync(file)) return [];
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const tables = ['leases', 'containers', "snapshots WHERE state = 'active'"];
    return tables.flatMap((table) => {
      const count = Number(db.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.['count']);
      return count === 0 ? [] : [`${count} rows in ${table}`];
    });
  } finally {
    db.close();
  }
}
