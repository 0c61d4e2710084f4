import { posix } from 'node:path';
import type { Instruction } from '../../ast.ts';
import type { CopyCommand } from '../../instructions/command.ts';
import { textsOf } from '../stages/lineage.ts';
import { maxPath } from '../stages/long-path.ts';
import type { SubjectCommand } from '../subject.ts';
import { folderAfter } from './made-files.ts';
import { destinationOf, placedFiles } from './placed-files.ts';
import { isPlain } from './plain-add.ts';

/** The COPYs since the last RUN. */
export interface Block {
  /** By what each puts in place: its target, and its sources there. */
  readonly copies: ReadonlyMap<string, readonly PlacedCopy[]>;
  /** The working folder. */
  readonly folder: string | undefined;
  /** The instruction right before the one that comes now. */
  readonly last: Instruction | undefined;
  /** Whether a text names a path; true as well once looking for paths has taken long. */
  mayName(text: string, path: string): boolean;
}

export interface PlacedCopy {
  readonly instruction: Instruction;
  readonly sources: number;
  /** Where its sources are if they are files. */
  readonly files: ReadonlySet<string>;
  readonly target: string;
  /** Whether nothing in the file wrote below the target before it, as far as is known. */
  isAlone(): boolean;
  /** Whether the target is one file, or a folder that the copy makes: no WORKDIR made it, and no base brings it. */
  readonly isNew: boolean;
}

/** COPYs to one path that are remembered. */
const maxCopies = 20;

/** Folders that bases have, or may. */
const systemFolder =
  /^\/(?:$|(?:bin|boot|dev|etc|home|lib\d*|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var)(?:\/|$))/;

/** Follows the instructions of a stage and those it begins with. */
export class BlockReader {
  #copies = new Map<string, PlacedCopy[]>();
  #folder: string | undefined;
  #last: Instruction | undefined;
  readonly #workdirs = new Set<string>();
  /** Folders in which something was written, and those above them. */
  readonly #written = new Set<string>();
  /** What RUNs say, which may write wherever they name. */
  readonly #texts: string[] = [];
  /** Characters that may still be searched. */
  #searches = 64 << 20;

  /** @param folder the working folder at the beginning, if it is known */
  constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  get block(): Block {
    return {
      copies: this.#copies,
      folder: this.#folder,
      last: this.#last,
      mayName: (text, path) => this.#isIn(text, path),
    };
  }

  pass(each: SubjectCommand): void {
    const { command, instruction } = each;
    this.#last = instruction;
    this.#folder = folderAfter(this.#folder, each);
    if (command.kind === 'workdir' && this.#folder !== undefined) this.#workdirs.add(this.#folder);
    if (command.kind === 'copy' || (command.kind === 'add' && isPlain(command))) this.#add(command, instruction);
    else if (command.kind === 'add') this.#write(destinationOf(command.destination, this.#folder) ?? '/');
    else if (command.kind === 'run') {
      this.#copies = new Map();
      this.#write(this.#folder ?? '/');
      for (const text of textsOf(instruction)) this.#texts.push(text);
    }
  }

  #add(command: CopyCommand, instruction: Instruction): void {
    const target = destinationOf(command.destination, this.#folder);
    if (target === undefined || target.length > maxPath) return;
    const files = placedFiles(command, this.#folder);
    const isFile = files[0] === target && /\.\w+$/.test(target);
    const sources = command.sources.length + command.files.length;
    const wasWritten = this.#written.has(target);
    const isAlone = () => !wasWritten && !this.#texts.some((text) => this.#isIn(text, target));
    const isNew = isFile || (!systemFolder.test(target) && !this.#workdirs.has(target));
    const copy = { instruction, sources, files: new Set(files), target, isAlone, isNew };
    for (const path of new Set([target, ...files])) {
      const before = this.#copies.get(path) ?? [];
      if (before.length < maxCopies) this.#copies.set(path, [...before, copy]);
    }
    this.#write(target);
  }

  /** Whether a text names a path, or may: not every one can be searched for every path. */
  #isIn(text: string, path: string): boolean {
    this.#searches -= text.length;
    return this.#searches < 0 || text.includes(path);
  }

  #write(path: string): void {
    if (path.length > maxPath) return;
    for (let folder = path; !this.#written.has(folder); folder = posix.dirname(folder)) this.#written.add(folder);
  }
}
