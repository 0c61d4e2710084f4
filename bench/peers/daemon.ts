import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from '../measure/index.ts';
import { type Place, run } from '../places/index.ts';
import { removeControlGroup } from './control-group.ts';
import type { Room } from './room.ts';

export interface DaemonOptions {
  /** Given to {@link Room.command}. */
  readonly command: Command;
  /** Succeeds as soon as it answers. */
  readonly question: Command;
  /** Where it keeps everything; removed with it. */
  readonly data: string;
  /** What it leaves behind, and is removed when it has ended. */
  readonly controlGroup: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A server that builds, run in the room for as long as a benchmark wants it. */
export class Daemon {
  readonly #room: Room;
  readonly #options: DaemonOptions;
  #child: ChildProcess | undefined;

  constructor(room: Room, options: DaemonOptions) {
    this.#room = room;
    this.#options = options;
  }

  /** Started, and taken down with the place. */
  static async in(place: Place, room: Room, options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon(room, options);
    place.onClose(async () => {
      await daemon.stop();
      await removeControlGroup(options.controlGroup);
    });
    await daemon.start();
    return daemon;
  }

  /** The process that it and all its own are below of. */
  readonly pids = (): readonly number[] => (this.#child?.pid === undefined ? [] : [this.#child.pid]);

  async start(): Promise<void> {
    const [program, ...args] = this.#room.command(...this.#options.command);
    const child = spawn(program, args, {
      env: { ...process.env, ...this.#options.env },
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true, // a terminal's interrupt is for the benchmark, which then stops it
    });
    this.#child = child;
    let problem = '';
    child.stderr.on('data', (chunk: Buffer) => {
      problem = (problem + chunk.toString('utf8')).slice(-5000);
    });
    const question = this.#room.command(...this.#options.question);
    for (let attempt = 0; attempt < 300 && child.exitCode === null; attempt += 1) {
      const answers = await run(question).then(
        () => true,
        () => false,
      );
      if (answers) return;
      await delay(100);
    }
    await this.stop();
    throw new Error(`${this.#options.command[0]} does not answer\n${problem}`);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      // What was spawned only waits for the daemon, its one child, and passes no signal on.
      const inner = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'latin1').trim());
      if (inner > 0) process.kill(inner, 'SIGTERM');
      await ended;
    }
    this.#child = undefined;
  }

  /** As on a machine where it was never run: nothing is left, neither on the disk nor in its memory. */
  async renew(): Promise<void> {
    await this.stop();
    await rm(this.#options.data, { recursive: true, force: true });
    await this.start();
  }
}
