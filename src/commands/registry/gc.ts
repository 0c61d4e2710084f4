import { resolve } from 'node:path';
import { Args } from '@oclif/core';
import { boolean, string } from '@oclif/core/flags';
import { stat } from 'node:fs/promises';
import { UsageError } from '../../errors.ts';
import type { CollectedGarbage } from '../../registry/index.ts';
import { Command, escapeControls, formatSize, jsonFlag, parseDuration } from '../../ui/index.ts';

export default class RegistryGc extends Command {
  static override summary = 'Delete from the folder of a registry what no manifest names; servers may be running';
  static override args = { DIR: Args.string({ required: true, description: 'Folder that `registry serve` serves' }) };
  static override flags = {
    'dry-run': boolean({ char: 'd', description: 'Only tell what would go', default: false }),
    'delete-untagged': boolean({
      char: 'm',
      description: 'Delete manifests too that no tag leads to',
      default: false,
    }),
    grace: string({
      description: 'What was pushed or asked for within so long stays; 1h unless given',
      helpValue: 'DURATION',
    }),
    'upload-age': string({
      description: 'An upload that nobody has gone on with for so long goes; 24h unless given',
      helpValue: 'DURATION',
    }),
    json: jsonFlag,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(RegistryGc);
    const root = resolve(args.DIR);
    if (!(await stat(root).catch(() => undefined))?.isDirectory()) throw new UsageError(`no such folder: '${root}'`);
    const { collectGarbage, openDiskStorage } = await import('../../registry/index.ts');
    const storage = await openDiskStorage(root, { onNote: (note) => this.note(escapeControls(note)) });
    const collected = await collectGarbage(storage, {
      dryRun: flags['dry-run'],
      deleteUntagged: flags['delete-untagged'],
      grace: duration(flags.grace),
      uploadAge: duration(flags['upload-age']),
      signal: this.interrupted,
    });
    if (flags.json) this.print(JSON.stringify({ dryRun: flags['dry-run'], ...collected }));
    else this.#tell(collected, flags['dry-run']);
  }

  #tell({ manifests, blobs, uploads, bytes, unreadable }: CollectedGarbage, dryRun: boolean): void {
    for (const { repository, digest } of manifests) this.print(`manifest ${repository}@${digest}`);
    for (const { repository, digest } of blobs) this.print(`blob ${repository}@${digest}`);
    if (uploads > 0) this.print(`${uploads} old uploads`);
    for (const name of unreadable) this.note(`WARNING: ${name} has a manifest that cannot be read; nothing of it goes`);
    this.print(`${dryRun ? 'Would free' : 'Freed'} ${formatSize(bytes)}`);
  }
}

function duration(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDuration(text);
}
