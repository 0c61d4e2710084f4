import { expect, it } from '@jest/globals';
import { compressLayer } from '../../src/layer/index.ts';
import { digestOf } from '../../src/oci/index.ts';
import { dir, header, tar } from './tar-builder.ts';

// A compressed layer keeps its digest from one release of Slipway to the next, on machines with the same compressor. A new row is
// due when Node brings a new one; a row that no longer holds means that pushes of unchanged layers would move them again.

const golden: readonly (readonly [compressor: string, digest: string])[] = [
  // Node 24.21
  [
    'zlib 1.3.2.1-motley-8002e91 x64 level 4',
    'sha256:69f7b4099d37ee3cc9d6c68ed3c438dbc00c06d3b8e5667601b7011573daba57',
  ],
  [
    'zlib 1.3.2.1-motley-8002e91 x64 level 6',
    'sha256:37adf972881725fc52d400fcc0bc021280c56e6f922b3740309bcc543418b143',
  ],
  // Node 26.10
  [
    'zlib 1.3.2.1-motley-285e94b x64 level 4',
    'sha256:69f7b4099d37ee3cc9d6c68ed3c438dbc00c06d3b8e5667601b7011573daba57',
  ],
  [
    'zlib 1.3.2.1-motley-285e94b x64 level 6',
    'sha256:37adf972881725fc52d400fcc0bc021280c56e6f922b3740309bcc543418b143',
  ],
  // both
  ['zstd 1.5.7 x64 level 3', 'sha256:66833f4076dba8bf29ae3c147bf807dff07e28ba2ed35ba11fa6ad1b628cb368'],
];

const { zlib, zstd } = process.versions;

/** A level that is not asked for is the default. For zstd the tar comes twice: two frames. */
const cases = [
  { compression: 'gzip', name: `zlib ${zlib} ${process.arch} level 4`, options: {}, times: 1 },
  { compression: 'gzip', name: `zlib ${zlib} ${process.arch} level 6`, options: { level: 6 }, times: 1 },
  { compression: 'zstd', name: `zstd ${zstd} ${process.arch} level 3`, options: {}, times: 2 },
] as const;

it.each(cases)(
  '$name: fixed bytes have the digest that was recorded',
  async ({ compression, name, options, times }) => {
    const tars = Array.from({ length: times }, fixedTar);
    const { stream, result } = compressLayer(tars, { compression, ...options });
    for await (const _ of stream);
    const { digest, diffId } = await result;
    expect(diffId).toBe(digestOf(Buffer.concat(tars)));
    if (times === 1) expect(diffId).toBe('sha256:9dc6903de4f076be7375ccd6cf431850136b4581143d4786040117b7eda68cd7');
    const recorded = golden.find(([each]) => each === name)?.[1];
    if (recorded === undefined) console.warn(`nothing is recorded for ${name}: ['${name}', '${digest}']`);
    else expect(digest).toBe(recorded);
  },
);

/** Several blocks of 1 MiB: words that recur, bytes that do not, and nothing at all. */
function fixedTar(): Buffer {
  return tar(
    dir('d/'),
    header({ name: 'd/words', content: words(1_800_000) }),
    header({ name: 'd/noise', content: noise(700_000) }),
    header({ name: 'd/nothing', content: Buffer.alloc(900_000) }),
  );
}

/** The numbers of a generator that is the same everywhere (Park and Miller's). */
function* numbers(): Generator<number, never> {
  for (let state = 20_240_101; ; state = (state * 48_271) % 2_147_483_647) yield state; // below 2 ** 53
}

function words(length: number): string {
  let text = '';
  for (const number of numbers()) {
    text += `${['keel', 'mast', 'anchor', 'hull', 'tide'][number % 5]}-${number % 97}${number % 7 === 0 ? '\n' : ' '}`;
    if (text.length >= length) break;
  }
  return text.slice(0, length);
}

function noise(length: number): Buffer {
  const source = numbers();
  return Buffer.from(Uint8Array.from({ length }, () => source.next().value >> 8));
}
