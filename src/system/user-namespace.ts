import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { isSlipwayError, messageOf } from '../errors.ts';
import { hasCapability, ownIdentity } from './current-privileges.ts';
import { requireExecutable } from './find-executable.ts';
import { idMapNumbers, mapOfSubordinates, parseSubordinateIds } from './id-maps.ts';
import { findSetpriv } from './parent-death.ts';
import type { IdRange } from './privileges.ts';
import { codeOfSignal, run } from './run.ts';
import { forwardSignals } from './forward-signals.ts';
import { userNamespaceForbidden } from './user-namespace-forbidden.ts';

/** How a child process ended. */
export interface ProcessExit {
  readonly code: number;
  /** The signal that ended it; `code` is then 128 + its number. */
  readonly signal?: NodeJS.Signals;
}

export interface UserNamespaceOptions {
  /** Environment of the command; ours unless given. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Called before the command starts when only one id can be mapped, with the reason. */
  readonly onSingleId?: ((reason: string) => void) | undefined;
}

/** Ids as the namespace shall see them, and who writes them. */
interface IdMaps {
  readonly writer: 'direct' | 'newuidmap' | 'single';
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
  /** Why there is only one id. */
  readonly reason?: string;
}

/**
 * Runs a command as root of a fresh user and mount namespace, with our standard streams, and gives its exit status. The
 * maps follow from the user and the machine's tables alone, so what one namespace wrote is owned the same in the next.
 * SIGINT, SIGTERM, SIGHUP and SIGQUIT are passed on; the command is killed when this process dies.
 * @param command the first word is an absolute path.
 * @throws SystemError USER_NAMESPACE_FORBIDDEN, COMMAND_MISSING
 */
export async function enterUserNamespace(
  command: readonly string[],
  options: UserNamespaceOptions = {},
): Promise<ProcessExit> {
  const maps = wantedMaps();
  try {
    return await launch(command, maps, options);
  } catch (error) {
    if (maps.writer === 'single' || !(error instanceof MapsRefused)) throw asForbidden(error);
    // A map is written once, so a second attempt needs a fresh namespace.
    try {
      return await launch(command, singleId(error.message), options);
    } catch (second) {
      throw asForbidden(second);
    }
  }
}

/** The namespace is there, but its maps are refused. */
class MapsRefused extends Error {}

function asForbidden(error: unknown): unknown {
  return isSlipwayError(error) ? error : userNamespaceForbidden(messageOf(error));
}

function wantedMaps(): IdMaps {
  const own = ownIdentity();
  if (own.uid === 0 && hasCapability(own.capabilities, 'setUid') && hasCapability(own.capabilities, 'setGid')) {
    const same = (map: readonly IdRange[]): IdRange[] => map.map((range) => ({ ...range, outside: range.inside }));
    return { writer: 'direct', uids: same(own.uidMap), gids: same(own.gidMap) };
  }
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const user = { name: userName(), id: uid };
  const uids = parseSubordinateIds(readTable('/etc/subuid'), user);
  const gids = parseSubordinateIds(readTable('/etc/subgid'), user);
  if (uids.length === 0 || gids.length === 0) {
    const file = uids.length === 0 ? '/etc/subuid' : '/etc/subgid';
    return singleId(`${file} grants no ids to ${user.name === '' ? uid : user.name}`);
  }
  return { writer: 'newuidmap', uids: mapOfSubordinates(uid, uids), gids: mapOfSubordinates(gid, gids) };
}

function singleId(reason: string): IdMaps {
  const uids = mapOfSubordinates(process.getuid?.() ?? 0, []);
  return { writer: 'single', uids, gids: mapOfSubordinates(process.getgid?.() ?? 0, []), reason };
}

// Waits for its maps, then becomes the command; the caller's stderr is 5 until then. An end of file on 4: our parent died.
const script = 'echo up >&3; read -r _ <&4 || exit 125; exec "$@" 2>&5 3>&- 4<&- 5>&-';

async function launch(command: readonly string[], maps: IdMaps, options: UserNamespaceOptions): Promise<ProcessExit> {
  const unshare = requireExecutable('unshare', 'install util-linux');
  const namespaces = ['--user', '--mount', '--propagation', 'slave', '--', requireExecutable('sh'), '-c', script, 'sh'];
  const child = spawn(unshare, [...namespaces, ...rootOf(maps), ...command], {
    env: options.env ?? process.env,
    stdio: ['inherit', 'inherit', 'pipe', 'pipe', 'pipe', 2],
  });
  const stop = forwardSignals(child);
  const go = child.stdio[4] as Writable;
  go.on('error', () => {}); // EPIPE: it is gone, and how it ended tells why
  try {
    await namespaceUp(child);
    try {
      await writeMaps(child.pid ?? 0, maps);
    } catch (cause) {
      const said = isSlipwayError(cause) ? cause.details.join('; ') : '';
      throw new MapsRefused([messageOf(cause), said].filter(Boolean).join(': '), { cause });
    }
    if (maps.reason !== undefined) options.onSingleId?.(maps.reason);
    go.end('go\n');
    await exited(child);
    return exitOf(child);
  } catch (error) {
    child.kill('SIGKILL');
    await exited(child);
    // Ctrl-C came while the namespace was made: that is no refusal.
    if (child.signalCode !== null && child.signalCode !== 'SIGKILL') return exitOf(child);
    throw error;
  } finally {
    stop();
  }
}

async function exited(child: ChildProcess): Promise<void> {
  const isRunning = child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  if (isRunning) await once(child, 'exit');
}

function exitOf(child: ChildProcess): ProcessExit {
  const { exitCode, signalCode: signal } = child;
  return signal === null ? { code: exitCode ?? 1 } : { code: codeOfSignal(signal), signal };
}

/** setpriv, where there is one: without the groups that are not in the map, and dying with us. */
function rootOf(maps: IdMaps): readonly string[] {
  const setpriv = findSetpriv();
  if (setpriv === undefined) return [];
  // A namespace with one id may not change its groups (setgroups is denied there).
  const groups = maps.writer === 'single' ? '--keep-groups' : '--clear-groups';
  return [setpriv, '--reuid', '0', '--regid', '0', groups, '--pdeathsig', 'KILL', '--'];
}

/** @throws what unshare said, when it was refused. */
async function namespaceUp(child: ChildProcess): Promise<void> {
  const said: Buffer[] = [];
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk));
  const ended = once(child, 'close').then(() => {
    throw new Error(Buffer.concat(said).toString());
  });
  await Promise.race([once(child.stdio[3] as Readable, 'data'), ended]);
  ended.catch(() => {}); // it ends later, as it should
}

async function writeMaps(pid: number, maps: IdMaps): Promise<void> {
  if (maps.writer === 'newuidmap') {
    await run('newgidmap', [String(pid), ...idMapNumbers(maps.gids).flat()]);
    await run('newuidmap', [String(pid), ...idMapNumbers(maps.uids).flat()]);
    return;
  }
  if (maps.writer === 'single') fs.writeFileSync(`/proc/${pid}/setgroups`, 'deny');
  fs.writeFileSync(`/proc/${pid}/gid_map`, mapText(maps.gids));
  fs.writeFileSync(`/proc/${pid}/uid_map`, mapText(maps.uids));
}

function mapText(map: readonly IdRange[]): string {
  return idMapNumbers(map)
    .map((range) => `${range.join(' ')}\n`)
    .join('');
}

function readTable(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Empty where the machine has no name for our id, as in many containers. */
function userName(): string {
  try {
    return os.userInfo().username;
  } catch {
    return '';
  }
}
