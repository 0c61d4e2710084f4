import type { Instruction } from '../../ast.ts';
import type { CopyCommand } from '../../instructions/command.ts';
import type { SubjectCommand } from '../subject.ts';
import { folderAfter } from './made-files.ts';
import { destinationOf, placedFiles } from './placed-files.ts';
import { isPlain } from './plain-add.ts';

/** The COPYs since the last RUN. */
export interface Block {
  readonly copies: readonly PlacedCopy[];
  /** The working folder. */
  readonly folder: string | undefined;
}

export interface PlacedCopy {
  readonly instruction: Instruction;
  readonly sources: number;
  /** Where its sources are if they are files. */
  readonly files: readonly string[];
  readonly target: string;
  /** Whether nothing in the file wrote below the target before it. */
  readonly isAlone: boolean;
  /** Whether the target is one file, or a folder that the copy makes: no WORKDIR made it, and no base brings it. */
  readonly isNew: boolean;
  /** Whether it is the instruction right before the one that comes now. */
  readonly isLast: boolean;
}

/** Folders that bases have, or may. */
const systemFolder =
  /^\/(?:$|(?:bin|boot|dev|etc|home|lib\d*|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var)(?:\/|$))/;

/** Follows the instructions of a stage and those it begins with. */
export class BlockReader {
  #copies: PlacedCopy[] = [];
  #folder: string | undefined;
  readonly #workdirs = new Set<string>();
  /** Folders in which something was written, and lines of RUNs, which may write wherever they name. */
  readonly #written: string[] = [];
  readonly #lines: string[] = [];

  get block(): Block {
    return { copies: this.#copies, folder: this.#folder };
  }

  pass(each: SubjectCommand): void {
    const { command, instruction } = each;
    this.#copies = this.#copies.map((copy) => ({ ...copy, isLast: false }));
    this.#folder = folderAfter(this.#folder, each);
    if (command.kind === 'workdir' && this.#folder !== undefined) this.#workdirs.add(this.#folder);
    if (command.kind === 'copy' || (command.kind === 'add' && isPlain(command))) this.#add(command, instruction);
    else if (command.kind === 'add') this.#written.push(destinationOf(command.destination, this.#folder) ?? '/');
    else if (command.kind === 'run') {
      this.#copies = [];
      this.#written.push(this.#folder ?? '/');
      this.#lines.push(instruction.line, ...instruction.heredocs.map(({ content }) => content));
    }
  }

  #add(command: CopyCommand, instruction: Instruction): void {
    const target = destinationOf(command.destination, this.#folder);
    if (target === undefined) return;
    const files = placedFiles(command, this.#folder);
    const isFile = files[0] === target && /\.\w+$/.test(target);
    const sources = command.sources.length + command.files.length;
    const isAlone =
      !this.#written.some((path) => path === target || path.startsWith(`${target}/`)) &&
      !this.#lines.some((line) => line.includes(target));
    const isNew = isFile || (!systemFolder.test(target) && !this.#workdirs.has(target));
    this.#copies.push({ instruction, sources, files, target, isAlone, isNew, isLast: true });
    this.#written.push(target);
  }
}
