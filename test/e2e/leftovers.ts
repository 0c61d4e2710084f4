import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What commands on the store below `home` have left on the machine and should not have: mounts, processes, containers, locks,
 * half-written files. Empty is right.
 */
export async function leftovers(home: string): Promise<string[]> {
  return [...mountsBelow(home), ...processesBelow(home), ...storeGarbage(join(home, 'store'))];
}

function mountsBelow(home: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.split(' ')[4]?.startsWith(home))
    .map((line) => `mount ${line.split(' ')[4]}`);
}

/** Processes other than this one whose command line, root or mounts lie there. */
function processesBelow(home: string): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid) continue;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      if (command.includes(home) && !command.includes('docker-registry')) found.push(`process ${pid} ${command}`);
    } catch {
      // it ended meanwhile
    }
  }
  return found;
}

function storeGarbage(store: string): string[] {
  const names = (folder: string): string[] => (existsSync(join(store, folder)) ? readdirSync(join(store, folder)) : []);
  return ['containers', 'ingest', 'locks'].flatMap((folder) => names(folder).map((name) => `${folder}/${name}`));
}
