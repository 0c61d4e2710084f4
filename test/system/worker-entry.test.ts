import { afterAll, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { run, workerEntry } from '../../src/system/index.ts';
import { scratchFolder } from './scratch.ts';

const scratch = scratchFolder();
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));
const source = fileURLToPath(new URL('../../src/system/index.ts', import.meta.url));

describe('workerEntry', () => {
  it('is the TypeScript of the room in the source tree', () => {
    expect(workerEntry('layer').href).toBe(new URL('../../src/layer/worker.ts', import.meta.url).href);
  });

  it.each(['dist/index.js', 'dist/chunks/a.js', 'dist/commands/system/df.js', 'dist/workers/layer.js'])(
    'is in dist/workers in a bundle, seen from %s, where system calls load as well',
    async (name) => {
      const outfile = path.join(scratch, 'a dist/x', name);
      const call =
        "import { workerEntry, loadSyscalls } from 'system'; loadSyscalls(); console.log(workerEntry('build').href);";
      await build({
        stdin: { contents: call, resolveDir: scratch },
        alias: { system: source },
        define: { SLIPWAY_BUNDLED: 'true' },
        bundle: true,
        platform: 'node',
        format: 'esm',
        external: ['koffi'],
        outfile,
        logLevel: 'silent',
      });
      const modules = path.join(scratch, 'a dist/x/node_modules');
      fs.rmSync(modules, { force: true });
      fs.symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), modules);
      fs.writeFileSync(path.join(scratch, 'a dist/x/package.json'), '{"type":"module"}');
      const { stdout } = await run(process.execPath, [outfile]);
      const expected = pathToFileURL(path.join(scratch, 'a dist/x/dist/workers/build.js')).href;
      expect(String(stdout).trim()).toBe(expected);
    },
  );
});
