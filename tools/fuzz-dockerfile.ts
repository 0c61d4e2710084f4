/**
 * Throws random bytes, mutated files and random files at the Dockerfile language and all that is asked of it (checks with
 * their fixes, format, outlines, graphs, diagrams), random patterns, words and shell scripts at its parts: `node tools/fuzz-dockerfile.ts [SECONDS] [SEED]`, 60 seconds unless given. Whatever it is given, the language
 * answers with a result or with an error of its own that names a place, and soon. Ends with 1 where it does not.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { createIgnoreMatcher, decodeText, encodeText, parse } from '../src/dockerfile/index.ts';
import { expand } from '../src/dockerfile/expand.ts';
import {
  dockerfiles,
  instructions,
  mutated,
  paths,
  patterns,
  scripts,
  texts,
  words,
} from '../test/dockerfile/arbitraries.ts';
import { graphOf } from '../test/dockerfile/build-inputs.ts';
import { dockerfiles as oddDockerfiles } from '../test/dockerfile/random-dockerfile.ts';
import { expectAnswer, readings, expectScript } from '../test/dockerfile/readings.ts';

/** CPU that one case may take: a thousand times what it does take, so that nothing but a wrong loop reaches it. */
const mostMilliseconds = 3000;

const [seconds = '60', seedText] = process.argv.slice(2);
const seed = seedText === undefined ? Date.now() & 0x7fffffff : Number(seedText);
const project = join(import.meta.dirname, '..');
const files = [
  readFileSync(join(project, 'examples', 'quickstart', 'Dockerfile'), 'utf8'),
  `# syntax=docker/dockerfile:1
ARG NODE=24
FROM --platform=$BUILDPLATFORM node:\${NODE}-slim AS build
WORKDIR /app
COPY --link package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm,sharing=locked \\
    --mount=type=secret,id=npmrc,target=/root/.npmrc \\
    # all of it
    npm ci --no-audit
COPY . .
RUN <<EOF
set -e
npm run build
EOF
FROM scratch
COPY --from=build --chown=65532:65532 --chmod=u=rX,go= /app/dist /srv
COPY <<"A" <<-B /etc/
a=$b
A
	b
	B
ENV PATH=/srv:$PATH NAME="a b" \\
    MODE=\${MODE:-production}
LABEL org.opencontainers.image.title=x "a b"='c'
EXPOSE 80 443/tcp 8000-8010/udp
HEALTHCHECK --interval=30s --timeout=3s CMD ["/srv/check", "-q"]
USER 65532
ENTRYPOINT ["/srv/main"]
CMD ["serve"]
`,
  `# escape=\`
FROM a AS base
SHELL ["powershell", "-c"]
ONBUILD ADD --checksum=sha256:${'0'.repeat(64)} https://example.com/x.zip C:\\x\\
RUN a \`
  && b
FROM base
ADD --keep-git-dir=true https://example.com/r.git?tag=v1&subdir=x#v1:x /r/
ADD --unpack x.tar.gz /y
VOLUME ["/v", "/w"]
STOPSIGNAL SIGRTMIN+3
`,
];

const variables = new Map([
  ['a', 'aaaa/b*c?d'],
  ['b', ''],
]);

/** A file, and the triggers of the image it stands on. */
const triggered = fc.tuple(dockerfiles, fc.array(instructions, { maxLength: 2 }));

const properties: Readonly<Record<string, fc.IProperty<unknown>>> = {
  bytes: fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
    answers(bytes, () => graphOf(bytes));
    if (!Buffer.from(encodeText(decodeText(bytes))).equals(bytes)) throw new Error('decoding has lost something');
  }),
  'bytes behind FROM': fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
    const file = Buffer.concat([Buffer.from('FROM a\nRUN '), bytes]);
    answers(file, () => graphOf(file));
  }),
  fragments: fc.property(texts, (text) => answers(text, () => graphOf(text))),
  'fragments behind FROM': fc.property(texts, (text) => answers(`FROM a\n${text}`, () => graphOf(`FROM a\n${text}`))),
  'mutated files': fc.property(mutated(files), (text) => answers(text, () => graphOf(text))),
  'random files': fc.property(triggered, ([text, OnBuild]) => {
    answers(text, () => graphOf(text, { bases: { a: { config: { OnBuild } } } }));
  }),
  'random files, many times': fc.property(dockerfiles, fc.integer({ min: 2, max: 50 }), (text, times) => {
    const long = `${text}\n`.repeat(times);
    answers(long, () => parse(long));
  }),
  'everything, of random files': fc.property(fc.oneof(dockerfiles, oddDockerfiles), readEverything),
  'everything, of fragments': fc.property(texts, (text) => readEverything(`FROM a AS x\n${text}`)),
  'everything, of mutated files': fc.property(mutated(files), readEverything),
  'everything, of scripts': fc.property(scripts, (script) => {
    readEverything(`FROM scratch\nCOPY a /d\nRUN <<END\n${script}\nEND\nRUN ${script}\n`);
  }),
  scripts: fc.property(fc.oneof(scripts, words), (text) => answers(undefined, () => expectScript(text))),
  'long scripts': fc.property(scripts, fc.integer({ min: 2, max: 500 }), (text, times) => {
    answers(undefined, () => expectScript(text.repeat(times)));
  }),
  'ignore patterns': fc.property(fc.array(patterns, { maxLength: 8 }), fc.array(paths), (list, files) => {
    answers(undefined, () => {
      const matcher = createIgnoreMatcher(list);
      return files.map((file) => [matcher.matches(file), matcher.mayHaveIncluded(file)]);
    });
  }),
  words: fc.property(words, (word) => answers(undefined, () => expand(word, variables).words)),
  'long words': fc.property(words, fc.integer({ min: 2, max: 2000 }), (word, times) => {
    answers(undefined, () => expand(word.repeat(times), variables).words);
  }),
};

function readEverything(text: string): void {
  for (const read of Object.values(readings)) answers(text, () => read(parse(text)));
}

/** Fails unless `work` gives plain data, or an error of ours with a place in `file`, in bounded time. */
function answers(file: string | Uint8Array | undefined, work: () => unknown): void {
  const before = process.cpuUsage();
  expectAnswer(work, file);
  const { user, system } = process.cpuUsage(before);
  const took = (user + system) / 1000;
  if (took > mostMilliseconds) throw new Error(`took ${took.toFixed(0)} ms`);
}

process.stdout.write(`seed ${seed}\n`);
const share = (Number(seconds) * 1000) / Object.keys(properties).length;
for (const [name, property] of Object.entries(properties)) {
  const result = fc.check(property, {
    seed,
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: share,
    maxSkipsPerRun: 0,
  });
  process.stdout.write(`${name}: ${result.numRuns} cases${result.failed ? ', and then' : ''}\n`);
  if (result.failed) {
    process.stderr.write(`${fc.defaultReportMessage(result) ?? 'it failed'}\n`);
    process.exitCode = 1;
  }
}
