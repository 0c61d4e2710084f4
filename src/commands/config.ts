import { string as argument } from '@oclif/core/args';
import { openPlace } from '../build/index.ts';
import { fetchBytes, hostPlatform, parseManifest, parsePlatform, restrictPlatforms } from '../oci/index.ts';
import { outputFlag, PlaceCommand, placesHelp, platformFlag, registryFlags } from '../ui/index.ts';

export default class Config extends PlaceCommand {
  static override summary = 'Write the config of an image, byte for byte';
  static override description =
    `${placesHelp} Of an index, that of --platform or of this machine. Exit status: 0 it is there, 1 it is not, 2 it could not be found out.`;
  static override asks = true;
  static override args = { image: argument({ required: true, description: 'Where it is' }) };
  static override flags = { platform: platformFlag, output: outputFlag, ...registryFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Config);
    const signal = this.interrupted;
    const content = await this.withPlaces(flags, async (places) => {
      await using place = await openPlace(args.image, { ...places, allowRemote: true });
      const root = await place.resolve({ signal, reads: true });
      const wanted = flags.platform === undefined ? hostPlatform() : parsePlatform(flags.platform);
      const found = await restrictPlatforms(place.target, root, [wanted], { signal });
      const manifest = parseManifest(await fetchBytes(place.target, found, { signal }), found.mediaType);
      return await fetchBytes(place.target, manifest.config, { signal });
    });
    await this.writeResult(content, flags.output);
  }
}
