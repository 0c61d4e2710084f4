import { string as argument } from '@oclif/core/args';
import { openPlace } from '../../build/index.ts';
import { fetchBytes, parsePlatform, restrictPlatforms } from '../../oci/index.ts';
import { jsonFlag, outputFlag, PlaceCommand, placesHelp, platformFlag, registryFlags } from '../../ui/index.ts';

export default class ManifestGet extends PlaceCommand {
  static override summary = 'Write a manifest or index, byte for byte';
  static override description = `${placesHelp} Exit status: 0 it is there, 1 it is not, 2 it could not be found out.`;
  static override asks = true;
  static override args = { image: argument({ required: true, description: 'Where it is' }) };
  static override flags = { platform: platformFlag, output: outputFlag, json: jsonFlag, ...registryFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(ManifestGet);
    const signal = this.interrupted;
    const platforms = flags.platform === undefined ? [] : [parsePlatform(flags.platform)];
    const { found, content } = await this.withPlaces(flags, async (places) => {
      await using place = await openPlace(args.image, { ...places, allowRemote: true });
      const root = await restrictPlatforms(place.target, await place.resolve({ signal, reads: true }), platforms, {
        signal,
      });
      return { found: root, content: await fetchBytes(place.target, root, { signal }) };
    });
    if (!flags.json) return this.writeResult(content, flags.output);
    const { mediaType, digest, size } = found;
    const manifest: unknown = JSON.parse(Buffer.from(content).toString('utf8'));
    await this.writeResult(this.jsonText({ name: args.image, mediaType, digest, size, manifest }), flags.output);
  }
}
