import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../places/index.ts';
import { Content } from './content.ts';
import { writeFiles } from './files.ts';
import type { Workload } from './workload.ts';

/**
 * What a CI does with a Node application: dependencies are installed, 2,000 source files are copied in and built, and the result
 * goes to a stage of its own. `npm ci` is an archive that tar unpacks, so that no network is needed: 3,000 files, 60 MB.
 */
const dockerfile = `ARG BASE
FROM \${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY vendor/ /vendor/
RUN mkdir node_modules && tar -xf /vendor/node_modules.tar -C node_modules
COPY build.sh ./
COPY src/ ./src/
RUN sh ./build.sh

FROM \${BASE}
WORKDIR /app
COPY package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
ENV NODE_ENV=production
CMD ["node", "dist/app.js"]
`;

/** Bundles, checks and packs, as a build does; no more than the base image has is needed. */
const build = `set -eu
mkdir dist
find src -name '*.js' | sort | xargs cat > dist/app.js
sha256sum dist/app.js > dist/app.js.sha256
gzip -1 -n -k dist/app.js
cp -r src dist/chunks
`;

const packages = 300;
const sources = 2000;

/** `size` below 1 makes less of everything, for tests. */
export async function ciNode(folder: string, { size = 1 }: { readonly size?: number } = {}): Promise<Workload> {
  const modules = join(folder, 'modules');
  await mkdir(modules, { recursive: true });
  await writeFiles(modules, dependencies(Math.ceil(packages * size)));
  await mkdir(join(folder, 'vendor'));
  const archive = join(folder, 'vendor', 'node_modules.tar');
  await run(['tar', '--sort=name', '--mtime=@1000000000', '--owner=0:0', '-cf', archive, '-C', modules, '.']);
  await rm(modules, { recursive: true });
  await writeFiles(folder, [
    ['Dockerfile', dockerfile],
    ['.dockerignore', '.git\n**/*.log\nnode_modules\ndist\n'],
    ['package.json', '{ "name": "app", "version": "1.0.0", "type": "module" }\n'],
    ['package-lock.json', new Content(1).text(200_000)],
    ['build.sh', build],
    ...sourceFiles(Math.ceil(sources * size)),
  ]);
  let changes = 0;
  return {
    context: folder,
    change: () => writeFile(join(folder, 'src', 'd0', 'f0.js'), `export const change = ${(changes += 1)};\n`),
  };
}

/** Ten files of each package: most are small, a few large. */
function* dependencies(count: number): Generator<[string, Buffer]> {
  for (let at = 0; at < count; at += 1) {
    const content = new Content(1000 + at);
    yield [`p${at}/package.json`, content.text(1500)];
    for (let file = 0; file < 8; file += 1) yield [`p${at}/lib/f${file}.js`, content.text(1000 + content.next(22_000))];
    yield [`p${at}/dist/index.js`, content.text(60_000 + content.next(120_000))];
  }
}

function* sourceFiles(count: number): Generator<[string, Buffer]> {
  for (let at = 0; at < count; at += 1) {
    const content = new Content(5_000_000 + at);
    yield [`src/d${at % 50}/f${Math.floor(at / 50)}.js`, content.text(500 + content.next(9000))];
  }
}
