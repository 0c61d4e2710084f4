import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Inputs } from '../inputs/index.ts';
import type { Command } from '../measure/index.ts';
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

/** A hundredth of everything where inputs are tiny. The step that a change makes necessary has the base beside `folder`. */
export async function ciNode(folder: string, inputs: Pick<Inputs, 'scale' | 'debian' | 'unpack'>): Promise<Workload> {
  const size = inputs.scale === 'full' ? 1 : 0.01;
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
  const root = `${folder}-bare`;
  let changes = 0;
  return {
    context: folder,
    change: async () => {
      await writeFile(join(folder, 'src', 'd0', 'f0.js'), `export const change = ${(changes += 1)};\n`);
      await rm(join(root, 'app'), { recursive: true, force: true });
    },
    ...(inputs.scale === 'full' && {
      changedStep: async () => {
        if (!existsSync(root)) await inputs.unpack((await inputs.debian()).tar, root);
        return buildAlone(folder, root);
      },
    }),
  };
}

/** What a change makes necessary, in a plain root directory: the sources are copied in and built. */
function buildAlone(folder: string, root: string): Command {
  const copy = 'mkdir "$1/app"; cp -r "$0/src" "$0/build.sh" "$1/app/"';
  return ['/bin/sh', '-ec', `${copy}; exec chroot "$1" /bin/sh -c 'cd /app && sh ./build.sh'`, folder, root];
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
