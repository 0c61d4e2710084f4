import { expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './run-cli.ts';

const folder = join(dirname(dirname(import.meta.dirname)), 'examples/fluent');

it('Node runs the example off the package itself', async () => {
  const printed = await run(process.execPath, [join(folder, 'build.ts')]);
  expect(printed).toMatchObject({ code: 0, stdout: readFileSync(join(folder, 'Dockerfile'), 'utf8'), stderr: '' });
  const graph = await run(process.execPath, [join(folder, 'build.ts'), '--graph']);
  expect(graph).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(graph.stdout)).toMatchObject({ version: 1, image: { config: { User: 'node' } } });
});
