import type { Plugin } from 'esbuild';

/**
 * Gives `await import('undici')` its names in the bundle too. Node finds the names of a CommonJS package's exports when it is
 * imported dynamically; esbuild offers `default` alone. Here each name that Node finds becomes an export.
 */
export const cjsNamesPlugin: Plugin = {
  name: 'cjs-names',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async ({ kind, path, importer, resolveDir, pluginData }) => {
      if (
        kind !== 'dynamic-import' ||
        path.startsWith('node:') ||
        pluginData === 'plain' ||
        /node_modules/.test(importer)
      )
        return undefined;
      const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: 'plain' });
      if (found.external || found.errors.length > 0) return undefined;
      const names = await cjsNames(found.path);
      return names === undefined ? undefined : { path: found.path, namespace: 'cjs-names', pluginData: names };
    });
    build.onLoad({ filter: /.*/, namespace: 'cjs-names' }, ({ path, pluginData }) => ({
      contents: [
        `import cjs from ${JSON.stringify(path)};`,
        'export default cjs;',
        ...(pluginData as string[]).map((name) => `export const ${name} = cjs.${name};`),
      ].join('\n'),
      resolveDir: '/',
    }));
  },
};

/** The named exports of a CommonJS file as Node sees them (which marks such with `module.exports`); undefined for an ES module. */
async function cjsNames(path: string): Promise<string[] | undefined> {
  const module = (await import(path)) as Record<string, unknown>;
  if (!('module.exports' in module)) return undefined;
  return Object.keys(module).filter((name) => name !== 'default' && /^[A-Za-z_$][\w$]*$/.test(name));
}
