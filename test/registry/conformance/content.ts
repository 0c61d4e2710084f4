import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type Descriptor, type Digest, type DigestAlgorithm, digestOf, mediaTypes } from '../../../src/oci/index.ts';

const exampleType = 'application/vnd.example.config.v1+json';
const otherType = 'application/vnd.example.other.v1+json';

/** What one case pushes, lists, pulls and deletes. */
export interface Content {
  readonly blobs: ReadonlyMap<Digest, Buffer>;
  /** In the order in which they can be pushed. */
  readonly manifests: ReadonlyMap<Digest, Buffer>;
  readonly tags: ReadonlyMap<string, Digest>;
  /** What refers to each subject, as a list of referrers has it. */
  readonly referrers: ReadonlyMap<Digest, readonly Descriptor[]>;
}

interface ManifestOptions {
  readonly tag?: string;
  readonly compress?: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
  readonly subject?: Descriptor;
  readonly layers?: number | readonly Descriptor[];
  readonly layerType?: string;
  readonly layerBytes?: Buffer;
  readonly config?: { readonly type: string; readonly bytes: Buffer };
  readonly data?: boolean;
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** Makes content of random bytes, so that no case meets what another one has left. */
export class ContentMaker implements Content {
  readonly blobs = new Map<Digest, Buffer>();
  readonly manifests = new Map<Digest, Buffer>();
  readonly tags = new Map<string, Digest>();
  readonly referrers = new Map<Digest, Descriptor[]>();
  readonly #algorithm: DigestAlgorithm;

  constructor(algorithm: DigestAlgorithm = 'sha256') {
    this.#algorithm = algorithm;
  }

  blob(mediaType: string, bytes: Buffer, data = false): Descriptor {
    const digest = digestOf(bytes, this.#algorithm);
    this.blobs.set(digest, bytes);
    // As JSON has it: in base64.
    const inline = data ? { data: bytes.toString('base64') as unknown as Uint8Array } : {};
    return { mediaType, digest, size: bytes.length, ...inline };
  }

  image(options: ManifestOptions = {}): Descriptor {
    const { compress = true, layers = 2, layerType, layerBytes, config, data = false, extra = {} } = options;
    const type = layerType ?? (compress ? mediaTypes.ociLayerGzip : mediaTypes.ociLayer);
    const layer = (): Descriptor => {
      const bytes = layerBytes ?? randomBytes(512);
      return this.blob(type, compress && layerBytes === undefined ? gzipSync(bytes) : bytes, data);
    };
    const made = typeof layers === 'number' ? Array.from({ length: layers }, layer) : layers;
    const { type: configType, bytes } = config ?? { type: mediaTypes.ociConfig, bytes: imageConfig(made, extra) };
    return this.#manifest(
      {
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        artifactType: options.artifactType,
        config: this.blob(configType, bytes, data),
        layers: made,
        ...common(options),
      },
      { ...options, artifactType: options.artifactType ?? configType },
    );
  }

  artifact(options: ManifestOptions = {}): Descriptor {
    return this.image({
      artifactType: exampleType,
      layers: 1,
      layerType: exampleType,
      config: { type: mediaTypes.ociEmpty, bytes: Buffer.from('{}') },
      ...options,
    });
  }

  index(children: readonly Descriptor[], options: ManifestOptions = {}): Descriptor {
    const { artifactType } = options;
    return this.#manifest(
      { schemaVersion: 2, mediaType: mediaTypes.ociIndex, artifactType, manifests: children, ...common(options) },
      options,
    );
  }

  /** An index of an image for each of two platforms. */
  platforms(options: ManifestOptions = {}, child: ManifestOptions = {}): Descriptor {
    const children = ['amd64', 'arm64'].map((architecture) => ({
      ...this.image(child),
      platform: { os: 'linux', architecture },
    }));
    return this.index(children, options);
  }

  #manifest(document: object, { tag, subject, artifactType, annotations }: ManifestOptions): Descriptor {
    const bytes = Buffer.from(JSON.stringify(document));
    const { mediaType } = document as { mediaType: string };
    const descriptor: Descriptor = { mediaType, digest: digestOf(bytes, this.#algorithm), size: bytes.length };
    this.manifests.set(descriptor.digest, bytes);
    if (tag !== undefined) this.tags.set(tag, descriptor.digest);
    if (subject !== undefined) {
      const entry = {
        ...descriptor,
        ...(artifactType === undefined ? {} : { artifactType }),
        ...(annotations ? { annotations } : {}),
      };
      this.referrers.set(subject.digest, [...(this.referrers.get(subject.digest) ?? []), entry]);
    }
    return descriptor;
  }
}

function common({ subject, annotations, extra = {} }: ManifestOptions): object {
  return { ...extra, subject, annotations };
}

function imageConfig(layers: readonly Descriptor[], extra: object): Buffer {
  const diffs = layers.map(({ digest }) => digest);
  const config = {
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers', diff_ids: diffs },
    author: randomBytes(8).toString('hex'),
  };
  return Buffer.from(JSON.stringify({ ...config, ...extra }));
}

interface ContentCase {
  readonly make: (maker: ContentMaker) => void;
  readonly algorithm?: DigestAlgorithm;
  /** Manifests are pushed by their digest with these tags, and not by tag. */
  readonly tagParameters?: boolean;
}

const hello = { 'org.example.conformance': 'hello' };
const foreign = (mediaType: string): Descriptor => {
  const digest = digestOf(randomBytes(16));
  return { mediaType, digest, size: 123_456, urls: [`https://store.example.com/${digest}`] };
};

/** The kinds of content that a registry must keep as they are. */
export const contentCases: Readonly<Record<string, ContentCase>> = {
  'an image': { make: (maker) => maker.image({ tag: 'image' }) },
  'an image with uncompressed layers': { make: (maker) => maker.image({ tag: 'plain', compress: false }) },
  'a manifest of almost 4 MB': {
    make: (maker) => {
      const pairs = Array.from({ length: 390 }, (_, at) => [`large-${at}`, 'A'.repeat(10_000)]);
      maker.image({ tag: 'large', annotations: Object.fromEntries(pairs) as Record<string, string> });
    },
  },
  'an index': { make: (maker) => maker.platforms({ tag: 'index' }) },
  'an index of indexes': {
    make: (maker) => maker.index([maker.platforms(), maker.platforms()], { tag: 'nested' }),
  },
  'an index of nothing': { make: (maker) => maker.index([], { tag: 'empty' }) },
  'an artifact': { make: (maker) => maker.artifact({ tag: 'artifact' }) },
  'an index of artifacts': {
    make: (maker) => {
      maker.index([maker.artifact(), maker.artifact()], { tag: 'artifact-index', artifactType: exampleType });
    },
  },
  'an artifact without layers': {
    make: (maker) => {
      const layer = { layerType: mediaTypes.ociEmpty, layerBytes: Buffer.from('{}') };
      maker.artifact({ tag: 'bare', ...layer });
    },
  },
  'artifacts with a subject': {
    make: (maker) => {
      const subject = maker.image({ tag: 'subject' });
      maker.image({ subject });
      maker.artifact({ subject, annotations: { ...hello, which: 'one' }, tag: 'artifact-one' });
      maker.artifact({
        subject,
        annotations: { ...hello, which: 'two' },
        artifactType: otherType,
        tag: 'artifact-two',
      });
    },
  },
  'indexes with a subject': {
    make: (maker) => {
      const subject = maker.platforms({ tag: 'subject' });
      maker.index([maker.artifact()], { subject, artifactType: exampleType, annotations: hello, tag: 'referrer' });
      maker.index([], { subject });
    },
  },
  'an artifact whose subject is missing': {
    make: (maker) => {
      const subject = { mediaType: mediaTypes.ociManifest, digest: digestOf(randomBytes(8)), size: 123 };
      maker.artifact({ subject, annotations: hello, tag: 'orphan' });
    },
  },
  'descriptors with data': { make: (maker) => maker.image({ tag: 'data', data: true }) },
  'layers that may not be distributed': {
    make: (maker) => {
      const there = maker.blob(mediaTypes.ociLayer, randomBytes(99));
      const layers = [foreign(mediaTypes.ociForeignLayerGzip), foreign(mediaTypes.ociForeignLayer), there];
      maker.image({ tag: 'foreign', layers });
    },
  },
  'unknown fields': {
    make: (maker) => {
      const extra = { [`org.example.${randomBytes(4).toString('hex')}`]: { deep: [1, null, 'x'] } };
      maker.platforms({ tag: 'fields', extra }, { extra });
    },
  },
  'an image without layers': { make: (maker) => maker.image({ tag: 'no-layers', layers: 0 }) },
  'content by sha512': { algorithm: 'sha512', make: (maker) => maker.platforms() },
  'tags as parameters': {
    tagParameters: true,
    make: (maker) => maker.tags.set('second', maker.platforms({ tag: 'first' }).digest),
  },
  'tags as parameters, by sha512': {
    tagParameters: true,
    algorithm: 'sha512',
    make: (maker) => maker.tags.set('second', maker.platforms({ tag: 'first' }).digest),
  },
};

export const sparseCases: Readonly<Record<string, ContentCase>> = {
  'an image whose layer is missing': {
    make: (maker) => {
      const missing = maker.blob(mediaTypes.ociLayer, randomBytes(99));
      maker.image({ tag: 'sparse-image', layers: [missing, maker.blob(mediaTypes.ociLayer, randomBytes(99))] });
      maker.blobs.delete(missing.digest);
    },
  },
  'an index of which a manifest is missing': {
    make: (maker) => {
      const missing = { mediaType: mediaTypes.ociManifest, digest: digestOf(randomBytes(9)), size: 1024 };
      maker.index([maker.image(), missing], { tag: 'sparse-index' });
    },
  },
};
