import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from '../inputs/cache.ts';
import { run } from '../places/index.ts';
import { writeFiles } from './files.ts';
import type { Workload } from './workload.ts';

/** Of these a layer need not hold again what the base image has. */
const alsoInBase = ['perl', 'perl-modules-5.36', 'libperl5.36', 'libgdbm6', 'libgdbm-compat4'];
const others = ['less', 'libexpat1', 'procps', 'libproc2-0', 'libncursesw6', 'vim-common', 'vim-tiny'];

const dockerfile = `ARG BASE
FROM \${BASE}
COPY debs/ /debs/
RUN DEBIAN_FRONTEND=noninteractive dpkg -i --force-depends /debs/*.deb
`;

/** What an installation by apt or dnf does, less the network: twelve packages of Debian's, which are fetched once. */
export async function packages(folder: string): Promise<Workload> {
  const debs = await cached('packages', (making) =>
    run([
      '/bin/sh',
      '-ec',
      'cd "$1"; shift; apt-get -qq -o APT::Sandbox::User= download "$@"',
      'sh',
      making,
      ...alsoInBase,
      ...others,
    ]).then(() => undefined),
  );
  await writeFiles(folder, [['Dockerfile', dockerfile]]);
  await cp(debs, join(folder, 'debs'), { recursive: true });
  let changes = 0;
  const change = () => writeFiles(folder, [['Dockerfile', `${dockerfile}RUN : ${(changes += 1)}\n`]]);
  return { context: folder, change };
}
