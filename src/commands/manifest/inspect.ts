import { string as argument } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { openPlace } from '../../build/index.ts';
import { fetchBytes, formatPlatform, type ImageIndex, type Manifest, parseManifestOrIndex } from '../../oci/index.ts';
import { escapeControls, jsonFlag, registryFlags, StoreCommand } from '../../ui/index.ts';

export default class ManifestInspect extends StoreCommand {
  static override summary = 'Show the manifest or index of an image';
  static override description =
    'Places: docker://NAME for a registry, oci:PATH[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME]; a plain NAME is in the store, else in a registry.';
  static override ownsFiles = true;
  static override args = { name: argument({ required: true, description: 'Where it is' }) };
  static override flags = {
    raw: boolean({ description: 'Write its bytes as they are', default: false }),
    json: jsonFlag,
    ...registryFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(ManifestInspect);
    const open = this.registries(flags);
    const { root, content } = await this.withStore(async (store) => {
      const signal = this.interrupted;
      const openStore = () => Promise.resolve(store);
      await using source = await openPlace(args.name, { open, openStore, plain: 'store-or-docker', allowRemote: true });
      const found = await source.resolve({ signal });
      return { root: found, content: await fetchBytes(source.target, found, { signal }) };
    }, open);
    if (flags.raw) {
      process.stdout.write(content);
      return;
    }
    if (flags.json) {
      const { mediaType, digest, size } = root;
      const manifest: unknown = JSON.parse(Buffer.from(content).toString('utf8'));
      return this.printJson({ name: args.name, mediaType, digest, size, manifest });
    }
    const document = parseManifestOrIndex(content, root.mediaType);
    this.print([...headOf(args.name, document, root.digest), '', ...partsOf(document)].map(escapeControls).join('\n'));
  }
}

function headOf(name: string, document: Manifest | ImageIndex, digest: string): string[] {
  const annotations = Object.entries(document.annotations ?? {}).map(([key, value]) => `  ${key}: ${value}`);
  return [
    `Name:      ${name}`,
    `MediaType: ${document.mediaType}`,
    `Digest:    ${digest}`,
    ...(annotations.length === 0 ? [] : ['Annotations:', ...annotations]),
  ];
}

function partsOf(document: Manifest | ImageIndex): string[] {
  if (document.kind === 'manifest') {
    const parts = [document.config, ...document.layers];
    return ['Content:', ...parts.map(({ digest, mediaType, size }) => `  ${digest} ${mediaType} ${size}`)];
  }
  const entries = document.manifests.flatMap(({ digest, mediaType, platform, annotations }) => [
    `  Digest:    ${digest}`,
    `  MediaType: ${mediaType}`,
    ...(platform === undefined ? [] : [`  Platform:  ${formatPlatform(platform)}`]),
    ...Object.entries(annotations ?? {}).map(([key, value]) => `    ${key}: ${value}`),
    '',
  ]);
  return ['Manifests:', ...entries];
}
