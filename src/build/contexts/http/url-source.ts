import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../../../oci/index.ts';
import { BuildError } from '../../error.ts';
import type { Facts } from '../git/git-source.ts';
import { downloadTo, type DownloadOptions, type Downloaded, type Validators } from './download.ts';
import { downloadName } from './file-name.ts';
import { newestEntry } from '../archive.ts';
import { shownUrl } from './shown-url.ts';

export interface UrlSourceOptions extends DownloadOptions {
  readonly facts: Facts;
  /** Makes an empty folder that lives as long as the build. */
  readonly scratch: () => Promise<string>;
}

export interface UrlWanted {
  readonly url: string;
  /** `sha256:…` that the content must have. */
  readonly checksum?: string | undefined;
  /** Of the file; the last part of the URL's path unless given. */
  readonly name?: string | undefined;
}

/** The file behind a URL: asked for when first wanted, once. */
export class UrlSource {
  readonly name: string;
  readonly #url: URL;
  readonly #wanted: UrlWanted;
  readonly #options: UrlSourceOptions;
  #digest: Promise<string> | undefined;
  #folder: Promise<string> | undefined;

  /** @throws BuildError DOWNLOAD_FAILED for what is no URL */
  constructor(wanted: UrlWanted, options: UrlSourceOptions) {
    const url = URL.parse(wanted.url);
    if (url === null) throw new BuildError('DOWNLOAD_FAILED', 'ADD: the source is no valid URL');
    this.#url = url;
    this.#wanted = wanted;
    this.#options = options;
    this.name = wanted.name ?? downloadName(url);
  }

  /**
   * What stands for the content: its digest. Where a checksum is given nothing is asked; else the server is, and where it says that
   * what we know is still right, the content does not come.
   * @throws BuildError DOWNLOAD_FAILED
   */
  async identity(): Promise<string> {
    return JSON.stringify(['url', await this.digest(), this.name]);
  }

  /** `sha256:…` of the content as it is now. */
  digest(): Promise<string> {
    const { checksum } = this.#wanted;
    return (this.#digest ??= checksum === undefined ? this.#ask() : Promise.resolve(checksum));
  }

  /**
   * The folder with the file, and nothing else.
   * @throws BuildError DOWNLOAD_FAILED, CHECKSUM_MISMATCH
   */
  async open(): Promise<string> {
    const digest = await this.digest();
    return (this.#folder ??= this.#fetch(digest));
  }

  /** When it was changed, in seconds since 1970, as the server says; else the newest file, where it is an archive. */
  async time(): Promise<number | undefined> {
    const path = join(await this.open(), this.name);
    const { mtimeMs } = await stat(path);
    return mtimeMs > 0 ? Math.floor(mtimeMs / 1000) : newestEntry(path);
  }

  async #ask(): Promise<string> {
    const { facts } = this.#options;
    // By a digest: addresses may hold credentials, and the store holds none.
    const key = digestOf(this.#url.href);
    const known = readFact(facts.fact('url', key));
    const folder = await this.#options.scratch();
    const found = await downloadTo(join(folder, this.name), this.#url, { ...this.#options, known });
    if (found === undefined) return known?.digest ?? '';
    this.#folder = Promise.resolve(folder);
    facts.putFact('url', key, JSON.stringify(found));
    return found.digest;
  }

  async #fetch(digest: string): Promise<string> {
    const folder = await this.#options.scratch();
    const found = await downloadTo(join(folder, this.name), this.#url, this.#options);
    if (found?.digest === digest) return folder;
    const url = shownUrl(this.#url);
    if (this.#wanted.checksum !== undefined) {
      throw new BuildError('CHECKSUM_MISMATCH', `${url}: digest mismatch ${found?.digest}: ${digest}`);
    }
    throw new BuildError('DOWNLOAD_FAILED', `${url} changed while it was used`, { hint: 'try again' });
  }
}

type UrlFact = Pick<Downloaded, 'digest'> & Validators;

function readFact(text: string | undefined): UrlFact | undefined {
  if (text === undefined) return undefined;
  const fact = JSON.parse(text) as UrlFact;
  // Without one of these the server cannot be asked whether it is still right.
  return fact.etag === undefined && fact.lastModified === undefined ? undefined : fact;
}
