import { expect, it } from '@jest/globals';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run, testHome } from './run-cli.ts';

const project = dirname(dirname(import.meta.dirname));

const program = `
import { copyGraph, describe, MemoryTarget, openLayout, parseReference } from 'slipway';
import { dump, parse } from 'slipway/dockerfile';

const memory = new MemoryTarget();
const bytes = Buffer.from('{}');
const blob = describe('application/vnd.oci.empty.v1+json', bytes);
await memory.push(blob, bytes);
const layout = await openLayout(process.argv[2], { create: true });
await copyGraph(memory, layout, blob);
console.log(await layout.exists(blob), parseReference('debian').repository, dump(parse('FROM scratch\\n')).trim());
`;

it('a program that depends on the package can use both entries', async () => {
  const folder = join(await testHome(), 'consumer');
  await mkdir(join(folder, 'node_modules'), { recursive: true });
  await symlink(project, join(folder, 'node_modules', 'slipway'));
  await writeFile(join(folder, 'main.mjs'), program);
  const { code, stdout, stderr } = await run(process.execPath, [join(folder, 'main.mjs'), join(folder, 'layout')]);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'true library/debian (from "scratch")\n', stderr: '' });
});
