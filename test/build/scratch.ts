import {
  chmodSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  lstatSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** What a tree holds: text for a file, `-> target` for a link, null for a folder; `mode` after a space: `content|4755`. */
export type TreeSpec = Readonly<Record<string, string | null>>;

/** Makes a tree below a new temporary folder; `using` removes it. */
export class ScratchTree implements Disposable {
  readonly root: string;

  constructor(spec: TreeSpec = {}) {
    this.root = mkdtempSync(join(tmpdir(), 'slipway-test-'));
    for (const [path, content] of Object.entries(spec)) this.#make(join(this.root, path), content);
  }

  #make(path: string, content: string | null): void {
    mkdirSync(dirname(path), { recursive: true });
    if (content === null) return void mkdirSync(path, { recursive: true });
    if (content.startsWith('-> ')) return symlinkSync(content.slice(3), path);
    const [text = '', mode] = content.split('|');
    if (text === '' && mode?.startsWith('d')) {
      mkdirSync(path, { recursive: true });
      return chmodSync(path, Number.parseInt(mode.slice(1), 8));
    }
    writeFileSync(path, text);
    chmodSync(path, mode === undefined ? 0o644 : Number.parseInt(mode, 8));
    lutimesSync(path, 1_000_000_000, 1_000_000_000);
  }

  /** All paths with type, mode and content: `d755 a`, `f644 a/b text`, `l c -> b`. */
  list(): string[] {
    const rows: string[] = [];
    const visit = (folder: string, prefix: string): void => {
      for (const name of readdirSync(folder).sort()) {
        const [at, path] = [join(folder, name), prefix + name];
        const stats = lstatSync(at);
        const mode = (stats.mode & 0o7777).toString(8);
        if (stats.isSymbolicLink()) rows.push(`l ${path} -> ${readlinkSync(at)}`);
        else if (stats.isDirectory()) {
          rows.push(`d${mode} ${path}`);
          visit(at, `${path}/`);
        } else rows.push(`f${mode} ${path} ${readFileSync(at, 'utf8')}`);
      }
    };
    visit(this.root, '');
    return rows;
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
