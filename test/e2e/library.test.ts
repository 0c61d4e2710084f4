import { expect, it } from '@jest/globals';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run, testHome } from './run-cli.ts';

const project = dirname(dirname(import.meta.dirname));

const program = `
import { copyGraph, describe, MemoryTarget, openLayout, parseReference } from 'slipway';
import { dump, needKey, needs, parse, parseImageConfig, toGraph } from 'slipway/dockerfile';

const memory = new MemoryTarget();
const bytes = Buffer.from('{}');
const blob = describe('application/vnd.oci.empty.v1+json', bytes);
await memory.push(blob, bytes);
const layout = await openLayout(process.argv[2], { create: true });
await copyGraph(memory, layout, blob);
const config = Buffer.from('{"os":"linux","architecture":"amd64","config":{"Env":["A=1"]},"rootfs":{"type":"layers","diff_ids":[]}}');
const linux = { os: 'linux', architecture: 'amd64' };
const inputs = { buildArgs: {}, platform: linux, buildPlatform: linux, labels: {}, contexts: {}, hasContext: true };
const ast = parse('FROM a\\n');
const configs = new Map(needs(ast, inputs, new Map()).map((need) => [needKey(need), parseImageConfig(config)]));
console.log(toGraph(ast, inputs, configs).image.config.Env[0]);
try {
  parse('');
} catch (error) {
  console.log(String(error));
}
console.log(await layout.exists(blob), parseReference('debian').repository, dump(parse('FROM scratch\\n')).trim());
`;

it('a program that depends on the package can use both entries', async () => {
  const folder = join(await testHome(), 'consumer');
  await mkdir(join(folder, 'node_modules'), { recursive: true });
  await symlink(project, join(folder, 'node_modules', 'slipway'));
  await writeFile(join(folder, 'main.mjs'), program);
  const { code, stdout, stderr } = await run(process.execPath, [join(folder, 'main.mjs'), join(folder, 'layout')]);
  expect({ code, stdout, stderr }).toEqual({
    code: 0,
    stdout: 'A=1\nDockerfileError: file with no instructions\ntrue library/debian (from "scratch")\n',
    stderr: '',
  });
});
