/** Applies one layer as the store does, in a worker and with both digests checked: `node unpack.js LAYER FOLDER DIGEST SIZE DIFF-ID`. */
import { applyInWorker } from '../../src/layer/index.ts';
import { parseDigest } from '../../src/oci/index.ts';
import { currentPrivileges } from '../../src/system/index.ts';

const [path = '', folder = '', digest = '', size = '', diffId = ''] = process.argv.slice(2);
const applied = await applyInWorker({ path }, folder, {
  privileges: currentPrivileges(),
  whiteouts: 'overlay',
  lowers: [],
  expect: { digest: parseDigest(digest), size: Number(size) },
});
if (applied.diffId !== diffId) throw new Error(`the layer unpacks to ${applied.diffId}, not to ${diffId}`);
