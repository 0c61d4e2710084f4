import { expect, it } from '@jest/globals';
import { compressLayer } from '../../src/layer/index.ts';
import { dir, header, tar } from './tar-builder.ts';

// A compressed layer keeps its digest from one release of Slipway to the next, on machines with the same compressor. A new row is
// due when Node brings a new one; a row that no longer holds means that pushes of unchanged layers would move them again.

const golden: readonly (readonly [compressor: string, digest: string])[] = [
  // Node 24.21
  ['zlib 1.3.2.1-motley-8002e91 x64', 'sha256:37adf972881725fc52d400fcc0bc021280c56e6f922b3740309bcc543418b143'],
  // Node 26.10
  ['zlib 1.3.2.1-motley-285e94b x64', 'sha256:37adf972881725fc52d400fcc0bc021280c56e6f922b3740309bcc543418b143'],
  // both
  ['zstd 1.5.7 x64', 'sha256:dcb647e6b370cc8206c498e7c5ce87d41d3a76013770da8050def98ad8627b87'],
];

const { zlib, zstd } = process.versions;

it.each(['gzip', 'zstd'] as const)(
  '%s of a fixed tar has the digest that was recorded for this compressor',
  async (compression) => {
    const compressor = `${compression === 'gzip' ? `zlib ${zlib}` : `zstd ${zstd}`} ${process.arch}`;
    const { stream, result } = compressLayer([fixedTar()], { compression });
    for await (const _ of stream);
    const { digest, diffId } = await result;
    expect(diffId).toBe('sha256:9dc6903de4f076be7375ccd6cf431850136b4581143d4786040117b7eda68cd7');
    const recorded = golden.find(([name]) => name === compressor)?.[1];
    if (recorded === undefined) console.warn(`nothing is recorded for ${compressor}: ['${compressor}', '${digest}']`);
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
