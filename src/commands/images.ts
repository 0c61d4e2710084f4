import { string as argument } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { familiarRepository, parseReference } from '../oci/index.ts';
import type { ImageRecord } from '../store/index.ts';
import {
  formatList,
  formatSize,
  jsonFlag,
  listFormatFlag,
  noTruncFlag,
  quietFlag,
  type Row,
  shortId,
  StoreCommand,
  timeAgo,
} from '../ui/index.ts';

const heads = {
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  ID: 'IMAGE ID',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
};

export default class Images extends StoreCommand {
  static override summary = 'List the images of the store';
  static override args = { repository: argument({ description: 'Only images of this repository, or this name' }) };
  static override flags = {
    all: boolean({ char: 'a', description: 'Accepted for habit: there are no intermediate images' }),
    digests: boolean({ description: 'Show digests' }),
    'no-trunc': noTruncFlag,
    quiet: quietFlag,
    format: listFormatFlag,
    json: jsonFlag,
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(Images);
    const images = await this.withStore(async (store) => store.images.list());
    const rows = images
      .flatMap((image) => rowsOf(image, flags['no-trunc']))
      .filter((row) => wanted(row, args.repository));
    if (flags.quiet) return this.print([...new Set(rows.map((row) => row.ID))].join('\n'));
    if (flags.json) return this.printJson(rows);
    const columns = ['Repository', 'Tag', ...(flags.digests ? ['Digest'] : []), 'ID', 'CreatedSince', 'Size'];
    this.print(formatList(rows, { heads, columns, format: flags.format }));
  }
}

type ImageRow = Row & { readonly ID: string; readonly Repository: string; readonly Tag: string };

function rowsOf(image: ImageRecord, noTrunc: boolean): ImageRow[] {
  const created = image.config.created === undefined ? undefined : new Date(image.config.created);
  const names = image.names.length === 0 ? [undefined] : image.names;
  return names.map((name) => {
    const reference = name === undefined ? undefined : parseReference(name);
    const repository = reference === undefined ? '<none>' : familiarRepository(reference);
    return {
      Repository: repository,
      Tag: reference?.tag ?? '<none>',
      Digest: image.manifest?.digest ?? '<none>',
      ID: noTrunc ? image.id : shortId(image.id),
      CreatedSince: timeAgo(created),
      CreatedAt: created?.toISOString() ?? '',
      Size: formatSize(image.size),
    };
  });
}

function wanted(row: ImageRow, repository: string | undefined): boolean {
  return repository === undefined || repository === row.Repository || repository === `${row.Repository}:${row.Tag}`;
}
