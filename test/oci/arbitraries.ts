import fc from 'fast-check';
import {
  type Descriptor,
  digestOf,
  type ImageConfig,
  type ImageIndex,
  type Manifest,
  mediaTypes,
  type Platform,
} from '../../src/oci/index.ts';

const optional: { requiredKeys: [] } = { requiredKeys: [] };
const digest = fc.string().map((text) => digestOf(text));
const mediaType = fc.constantFrom(mediaTypes.ociLayerGzip, 'application/vnd.test+json', 'text/plain; charset=utf-8');
const text = fc.string({ unit: 'grapheme' });
const strings = fc.array(text, { maxLength: 4 });
const names = fc.uniqueArray(text, { maxLength: 4 }).map((each) => each.toSorted());
const map = fc.dictionary(text, text, { maxKeys: 4 });
const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
const time = fc
  .date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-01-01') })
  .map((date) => date.toISOString());

export const platforms: fc.Arbitrary<Platform> = fc.record(
  { os: word, architecture: word, variant: word, osVersion: word, osFeatures: strings },
  { requiredKeys: ['os', 'architecture'] },
);

const plain = fc.record(
  {
    mediaType,
    digest,
    size: fc.maxSafeNat(),
    urls: strings,
    annotations: map,
    artifactType: mediaType,
    platform: platforms,
  },
  { requiredKeys: ['mediaType', 'digest', 'size'] },
);

export const descriptors: fc.Arbitrary<Descriptor> = fc.oneof(
  plain,
  fc.tuple(plain, fc.uint8Array()).map(([descriptor, data]) => ({
    ...descriptor,
    digest: digestOf(data),
    size: data.byteLength,
    data: Buffer.from(data),
  })),
);

export const manifests: fc.Arbitrary<Manifest> = fc.record(
  {
    kind: fc.constant('manifest' as const),
    mediaType: fc.constantFrom(mediaTypes.ociManifest, mediaTypes.dockerManifest),
    artifactType: mediaType,
    config: descriptors,
    layers: fc.array(descriptors, { maxLength: 4 }),
    subject: descriptors,
    annotations: map,
  },
  { requiredKeys: ['kind', 'mediaType', 'config', 'layers'] },
);

export const indexes: fc.Arbitrary<ImageIndex> = fc.record(
  {
    kind: fc.constant('index' as const),
    mediaType: fc.constantFrom(mediaTypes.ociIndex, mediaTypes.dockerIndex),
    artifactType: mediaType,
    manifests: fc.array(descriptors, { maxLength: 4 }),
    subject: descriptors,
    annotations: map,
  },
  { requiredKeys: ['kind', 'mediaType', 'manifests'] },
);

/** JSON has no -0: as it comes out of a document. */
const jsonValue = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const extra = fc.dictionary(fc.stringMatching(/^x[a-z.]{1,8}$/), jsonValue, { minKeys: 1, maxKeys: 3 });
const integer = fc.maxSafeInteger();

export const configs: fc.Arbitrary<ImageConfig> = fc.record(
  {
    platform: platforms,
    created: time,
    author: text,
    config: fc.record(
      {
        User: text,
        ExposedPorts: names,
        Env: strings,
        Entrypoint: strings,
        Cmd: strings,
        ArgsEscaped: fc.boolean(),
        Volumes: names,
        WorkingDir: text,
        Labels: map,
        StopSignal: text,
        Shell: strings,
        OnBuild: strings,
        Healthcheck: fc.record(
          {
            Test: strings,
            Interval: integer,
            Timeout: integer,
            StartPeriod: integer,
            StartInterval: integer,
            Retries: integer,
          },
          optional,
        ),
        extra,
      },
      optional,
    ),
    diffIds: fc.array(digest, { maxLength: 4 }),
    history: fc.array(
      fc.record(
        { created: time, createdBy: text, author: text, comment: text, emptyLayer: fc.constant(true) },
        optional,
      ),
      { maxLength: 4 },
    ),
    extra,
  },
  { requiredKeys: ['platform', 'config', 'diffIds', 'history'] },
);
