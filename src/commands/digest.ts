import { string as argument } from '@oclif/core/args';
import { openPlace } from '../build/index.ts';
import { parsePlatform, restrictPlatforms } from '../oci/index.ts';
import { jsonFlag, PlaceCommand, placesHelp, platformFlag, registryFlags } from '../ui/index.ts';

export default class Digest extends PlaceCommand {
  static override summary = 'Show the digest that a name stands for; a registry counts no pull for it';
  static override description = `${placesHelp} Exit status: 0 it is there, 1 it is not, 2 it could not be found out.`;
  static override asks = true;
  static override args = { image: argument({ required: true, description: 'Where it is' }) };
  static override flags = { platform: platformFlag, json: jsonFlag, ...registryFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Digest);
    const signal = this.interrupted;
    const platforms = flags.platform === undefined ? [] : [parsePlatform(flags.platform)];
    const { mediaType, digest, size } = await this.withPlaces(flags, async (places) => {
      await using place = await openPlace(args.image, { ...places, allowRemote: true });
      return await restrictPlatforms(place.target, await place.resolve({ signal }), platforms, { signal });
    });
    if (flags.json) this.printJson({ name: args.image, mediaType, digest, size });
    else this.print(digest);
  }
}
