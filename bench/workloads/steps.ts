import { writeFiles } from './files.ts';
import type { Workload } from './workload.ts';

/** So many RUN steps that do nothing. */
export function manySteps(folder: string, count: number): Promise<Workload> {
  const lines = Array.from({ length: count }, (_, at) => `RUN : ${at}\n`);
  return onlyDockerfile(folder, `ARG BASE\nFROM \${BASE}\n${lines.join('')}`);
}

/** Four stages of two seconds each, which do not need each other, and one that takes of all. */
export function diamond(folder: string): Promise<Workload> {
  const names = ['a', 'b', 'c', 'd'];
  const stages = names.map((name) => `FROM \${BASE} AS ${name}\nRUN sleep 2 && echo ${name} > /${name}\n`);
  const copies = names.map((name) => `COPY --from=${name} /${name} /${name}\n`);
  return onlyDockerfile(folder, `ARG BASE\n${stages.join('')}FROM \${BASE}\n${copies.join('')}`);
}

async function onlyDockerfile(folder: string, text: string): Promise<Workload> {
  await writeFiles(folder, [['Dockerfile', text]]);
  let changes = 0;
  return {
    context: folder,
    change: () => writeFiles(folder, [['Dockerfile', `${text}RUN : change ${(changes += 1)}\n`]]),
  };
}
