import { string as argument } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { familiarRepository, parseReference } from '../oci/index.ts';
import type { ImageRecord, Store } from '../store/index.ts';
import {
  formatGoTime,
  formatList,
  formatSize,
  imageFilter,
  jsonFlag,
  listFlag,
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
  static override args = { repository: argument({ description: 'Only names that match: NAME[:TAG], with * and ?' }) };
  static override flags = {
    all: boolean({ char: 'a', description: 'Also images that are only a part of an index' }),
    digests: boolean({ description: 'Show digests' }),
    filter: listFlag({
      char: 'f',
      description: 'dangling=true|false, label=KEY[=VALUE], reference=PATTERN, before=IMAGE, since=IMAGE',
      helpValue: 'KEY=VALUE',
    }),
    'no-trunc': noTruncFlag,
    quiet: quietFlag,
    format: listFormatFlag,
    json: jsonFlag,
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(Images);
    const filters = [
      ...(flags.filter ?? []),
      ...(args.repository === undefined ? [] : [`reference=${args.repository}`]),
    ];
    const rows = await this.withStore(async (store) => {
      const filter = imageFilter(filters, (name) => store.images.find(name));
      return store.images
        .list()
        .toSorted((a, b) => createdAt(b) - createdAt(a))
        .filter((image) => filter.image(image) && (flags.all || !isPart(image)))
        .flatMap((image) =>
          rowsOf(image, image.names.filter(filter.name), { full: flags['no-trunc'], images: store.images }),
        );
    });
    if (flags.quiet) return this.print([...new Set(rows.map((row) => row.ID))].join('\n'));
    if (flags.json) return this.printJson(rows);
    const columns = ['Repository', 'Tag', ...(flags.digests ? ['Digest'] : []), 'ID', 'CreatedSince', 'Size'];
    this.print(formatList(rows, { heads, columns, format: flags.format }));
  }
}

type ImageRow = Row & { readonly ID: string };

/** Nameless, and one platform of an index that has a name. */
function isPart({ names, partOf }: ImageRecord): boolean {
  return names.length === 0 && partOf.length > 0;
}

function createdAt({ config }: ImageRecord): number {
  return config.created === undefined ? 0 : Date.parse(config.created);
}

/** A row for each of the wanted names; one for an image that has none at all. */
function rowsOf(
  image: ImageRecord,
  wanted: readonly string[],
  { full, images }: { readonly full: boolean; readonly images: Store['images'] },
): ImageRow[] {
  const created = image.config.created === undefined ? undefined : new Date(image.config.created);
  const names = image.names.length === 0 ? [undefined] : wanted;
  return names.map((name) => {
    const reference = name === undefined ? undefined : parseReference(name);
    const repository = reference === undefined ? '<none>' : familiarRepository(reference);
    return {
      Repository: repository,
      Tag: reference?.tag ?? '<none>',
      Digest: (name === undefined ? image.manifest : images.rootOf(name))?.digest ?? '<none>',
      ID: full ? image.id : shortId(image.id),
      CreatedSince: timeAgo(created),
      CreatedAt: formatGoTime(created),
      Size: formatSize(image.size),
      // Docker's JSON has these, and says no more of them in lists.
      Containers: 'N/A',
      SharedSize: 'N/A',
      UniqueSize: 'N/A',
    };
  });
}
