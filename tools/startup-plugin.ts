import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';

/**
 * Makes the bundled CLI start faster (docs/decisions/0022-start-up.md). Each rule is an optimisation only: where a package changes
 * and one no longer matches, the CLI works as before, but slower.
 */
export const startupPlugin: Plugin = {
  name: 'startup',
  setup(build) {
    build.onLoad({ filter: /@oclif\/core\/lib\/.*\.js$/ }, ({ path }) => ({
      contents: requireAtUse(readFileSync(path, 'utf8')),
      loader: 'js',
    }));

    // An ES import of node:fs also loads all its streams (4 ms), one of node:zlib or node:http everything they need. Through
    // getBuiltinModule each is loaded when it is first used, and one that a command does not use not at all.
    build.onResolve({ filter: /^node:/ }, ({ kind, path }) =>
      kind === 'import-statement' && !direct.has(path)
        ? { path, namespace: 'node-module', sideEffects: false }
        : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'node-module' }, ({ path }) => ({
      contents: nodeModule(path),
      loader: 'js',
    }));

    // Of undici we use the agents and `request`; fetch, WebSocket, mocks, caches and interceptors are two thirds of it (25 ms).
    build.onLoad({ filter: /node_modules\/undici\/index\.js$/ }, ({ path }) => ({
      contents: `${unused}${readFileSync(path, 'utf8').replaceAll(unusedOfUndici, 'unused')}`,
      loader: 'js',
    }));
  },
};

/** Modules whose default export is more than the set of its names. */
const direct = new Set(['node:assert', 'node:events', 'node:module', 'node:process', 'node:stream', 'node:test']);

/** What Node itself has loaded before the first line of ours runs. */
const present = new Set(['node:buffer', 'node:fs', 'node:path', 'node:timers', 'node:url', 'node:util']);

/**
 * A CommonJS module with the exports of one of Node's modules, which is loaded when the first of them is used. They stand in the
 * prototype: esbuild gives every importing module a copy of all own properties, which for four hundred modules took 15 ms.
 */
function nodeModule(path: string): string {
  const load = `process.getBuiltinModule(${JSON.stringify(path)})`;
  if (present.has(path)) return `module.exports = Object.create(${load});`;
  return `
let loaded;
module.exports = Object.create(new Proxy({}, {
  get: (_, name, importer) => {
    if (name === '__esModule') return undefined;
    loaded ??= ${load};
    Object.defineProperty(importer, name, { value: loaded[name] }); // found without us the next time
    return loaded[name];
  },
}));
`;
}

const unusedOfUndici = /require\('\.\/lib\/(?:web|mock|cache|interceptor)\/[^']+'\)/g;

/** Stands for a module that is left out: names can be taken from it while undici loads, calling one is an error. */
const unused = `
const unused = new Proxy(function () {}, {
  get: (_, name) => (name === 'prototype' ? {} : unused),
  construct: () => ({}),
  apply: () => { throw new Error('this part of undici is not in the bundle'); },
});
`;

/**
 * What oclif requires is loaded where it is first used, not where it is named: an ordinary command uses a third of it. The names
 * are TypeScript's (`errors_1`), so that nothing else is called so.
 */
function requireAtUse(source: string): string {
  const names = new Map<string, string>();
  const rest = source.replaceAll(namedRequire, (_, name: string, required: string) => {
    names.set(name, `(${required})`);
    return '';
  });
  const used = rest.replaceAll(/\b\w+_\d+\b/g, (name) => names.get(name) ?? name);
  return (
    used
      // The first localeCompare of a process loads ICU's collation: 6 ms to sort a list of command ids.
      .replace('a.id.localeCompare(b.id)', '(a.id < b.id ? -1 : 1)')
      // Whether Windows runs us; Slipway is for Linux, and oclif wants to know it for its user agent alone.
      .replaceAll("await import('wsl-utils')", "{ isWsl: false, powerShellPath: async () => 'powershell.exe' }")
  );
}

const namedRequire = /^const (\w+_\d+) = ((?:__import(?:Default|Star)\()?require\("[^"]+"\)\)?);$/gm;
