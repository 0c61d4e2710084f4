/**
 * Makes a layer of a folder as a build does whose result goes elsewhere, walked, hashed, compressed and hashed in one pass, in a worker:
 * `node pack.js FOLDER BLOB gzip|zstd LEVEL`. What lies beside BLOB as `.headers` is the store's header list.
 */
import { openSync } from 'node:fs';
import { packToFile } from '../../src/layer/index.ts';
import { currentPrivileges } from '../../src/system/index.ts';

const [folder = '', blob = '', form = '', level = ''] = process.argv.slice(2);
const options = { privileges: currentPrivileges(), lowers: [], headerList: `${blob}.headers` };
const { draft, compressed } = await packToFile({ folder, options }, openSync(blob, 'w', 0o600), {
  compression: form === 'zstd' ? 'zstd' : 'gzip',
  level: Number(level),
});
if (compressed.diffId !== draft.diffId) throw new Error(`the layer is ${compressed.diffId}, and was ${draft.diffId}`);
