import { string as argument } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import { checkBase } from '../build/index.ts';
import {
  editPlatformFlag,
  jsonFlag,
  parsePlatforms,
  PlaceCommand,
  placesHelp,
  registryFlags,
  UiError,
} from '../ui/index.ts';

export default class CheckBase extends PlaceCommand {
  static override summary = 'Ask whether the base of an image is still the one it was built on';
  static override description =
    `${placesHelp} The base is what the annotation org.opencontainers.image.base.name says unless it is given. Exit status: 0 the image is up to date, 1 its base has changed, 2 it could not be found out.`;
  static override asks = true;
  static override args = { image: argument({ required: true, description: 'Where it is' }) };
  static override flags = {
    base: string({ description: 'The base, in place of the recorded one', helpValue: 'PLACE' }),
    platform: editPlatformFlag,
    json: jsonFlag,
    ...registryFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(CheckBase);
    const platforms = flags.platform && parsePlatforms(flags.platform);
    const checks = await this.withPlaces(flags, (places) =>
      checkBase(args.image, { ...places, base: flags.base, platforms, signal: this.interrupted }),
    );
    if (flags.json) this.printJson(checks);
    for (const { platform, base, before, now, current } of flags.json ? [] : checks) {
      if (current) this.print(`${platform}: ${base} is still ${now}`);
      else this.print(`${platform}: ${base} was ${before ?? 'another image'}, is now ${now}`);
    }
    const stale = checks.filter(({ current }) => !current);
    if (stale.length > 0)
      throw new UiError('DIFFERENT', `the base of ${args.image} has changed`, {
        hint: '`slipway rebase` puts it onto the new one, a build makes it anew',
      });
  }
}
