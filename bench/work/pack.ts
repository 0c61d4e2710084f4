/**
 * Makes a layer of a folder as the store does, walked and hashed first, then compressed and hashed, both in a worker:
 * `node pack.js FOLDER BLOB gzip|zstd LEVEL`. What lies beside BLOB as `.headers` is the store's header list.
 */
import { openSync } from 'node:fs';
import { compressToFile, diffInWorker } from '../../src/layer/index.ts';
import { currentPrivileges } from '../../src/system/index.ts';

const [folder = '', blob = '', form = '', level = ''] = process.argv.slice(2);
const headerList = `${blob}.headers`;
const draft = await diffInWorker(folder, { privileges: currentPrivileges(), lowers: [], headerList });
const layer = await compressToFile({ headerList, folder }, openSync(blob, 'w', 0o600), {
  compression: form === 'zstd' ? 'zstd' : 'gzip',
  level: Number(level),
});
if (layer.diffId !== draft.diffId) throw new Error(`the layer is ${layer.diffId}, and was ${draft.diffId}`);
