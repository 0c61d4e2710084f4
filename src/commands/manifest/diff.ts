import { string as argument } from '@oclif/core/args';
import { openPlace } from '../../build/index.ts';
import { type Descriptor, fetchBytes, parsePlatform, type Platform, restrictPlatforms } from '../../oci/index.ts';
import {
  escapeControlsInLines,
  jsonFlag,
  PlaceCommand,
  placesHelp,
  platformFlag,
  registryFlags,
  UiError,
  unifiedDiff,
} from '../../ui/index.ts';

interface Found {
  readonly root: Descriptor;
  readonly text: string;
}

export default class ManifestDiff extends PlaceCommand {
  static override summary = 'Show what is different between two manifests or indexes';
  static override description =
    `${placesHelp} Exit status: 0 they are the same, 1 they differ, 2 it could not be found out.`;
  static override asks = true;
  static override args = {
    before: argument({ required: true, description: 'One of them' }),
    after: argument({ required: true, description: 'The other' }),
  };
  static override flags = { platform: platformFlag, json: jsonFlag, ...registryFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(ManifestDiff);
    const platforms = flags.platform === undefined ? [] : [parsePlatform(flags.platform)];
    const before = await this.#read(args.before, flags, platforms);
    const after = await this.#read(args.after, flags, platforms);
    const difference = unifiedDiff(before.text, after.text, `${args.before} ${args.after}`);
    const equal = before.root.digest === after.root.digest;
    if (flags.json) this.printJson({ equal, before: before.root.digest, after: after.root.digest, difference });
    else this.print(escapeControlsInLines(difference));
    if (!equal) throw new UiError('DIFFERENT', `${before.root.digest} and ${after.root.digest} are not the same`);
  }

  #read(
    text: string,
    flags: Parameters<PlaceCommand['withPlaces']>[0],
    platforms: readonly Platform[],
  ): Promise<Found> {
    const signal = this.interrupted;
    return this.withPlaces(flags, async (places) => {
      await using place = await openPlace(text, { ...places, allowRemote: true });
      const root = await restrictPlatforms(place.target, await place.resolve({ signal, reads: true }), platforms, {
        signal,
      });
      const content = Buffer.from(await fetchBytes(place.target, root, { signal }));
      const document: unknown = JSON.parse(content.toString('utf8'));
      return { root, text: `${JSON.stringify(document, undefined, 2)}\n` };
    });
  }
}
