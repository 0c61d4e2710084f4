import { dirname } from 'node:path';
import type { BuildOptions } from 'esbuild';

/** The form in which everything is shipped, and measured. */
export const bundleOptions = {
  absWorkingDir: dirname(import.meta.dirname),
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24.15',
  // CommonJS packages in an ES module bundle still call require for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);",
  },
  define: { SLIPWAY_BUNDLED: 'true' },
  external: ['koffi', '@koromix/*', 'typescript', 'ts-node'],
  legalComments: 'none',
  logLevel: 'warning',
} as const satisfies BuildOptions;
