import { string as argument } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { validate } from '../build/index.ts';
import { formatSize } from '../oci/index.ts';
import {
  escapeControls,
  jsonFlag,
  parsePlatforms,
  PlaceCommand,
  placesHelp,
  platformsFlag,
  quietFlag,
  registryFlags,
  UiError,
} from '../ui/index.ts';

export default class Validate extends PlaceCommand {
  static override summary =
    'Check an image, or a whole layout or archive: sizes, digests, layers, what documents say of each other';
  static override description =
    `${placesHelp} Each finding is a line. Exit status: 0 it is valid, 1 it is not, or is not there, 2 it could not be found out.`;
  static override asks = true;
  static override args = { image: argument({ required: true, description: 'Where it is' }) };
  static override flags = {
    fast: boolean({ description: 'Do not read layers; ask only whether they are there', default: false }),
    strict: boolean({ description: 'Warnings count as well', default: false }),
    platform: platformsFlag,
    quiet: quietFlag,
    json: jsonFlag,
    ...registryFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Validate);
    const platforms = flags.platform && parsePlatforms(flags.platform);
    const report = await this.withPlaces(flags, (places) =>
      validate(args.image, { ...places, platforms, fast: flags.fast, signal: this.interrupted }),
    );
    const { findings, documents, blobs, bytes } = report;
    if (flags.json) this.printJson({ name: args.image, ...report });
    for (const { severity, code, subject, message } of flags.json ? [] : findings)
      this.print(escapeControls(`${severity} ${code} ${subject}: ${message}`));
    if (!flags.quiet && !flags.json)
      this.note(`${documents} manifests and indexes, ${blobs} blobs, ${formatSize(bytes)} read`);
    const bad = flags.strict ? findings : findings.filter(({ severity }) => severity === 'error');
    if (bad.length > 0)
      throw new UiError(
        'INVALID_IMAGE',
        `${args.image} is not valid: ${bad.length} of ${findings.length} findings count`,
      );
  }
}
