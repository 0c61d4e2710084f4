/**
 * The image of a Node application, written in TypeScript. `node build.ts` prints the Dockerfile it stands for (the one
 * beside it), `node build.ts --graph` the steps of the build as JSON.
 */
import { bind, cache, from, literal, needKey, needs, type ResolvedConfigs, toGraph } from 'slipway/dockerfile';

/** What both the build and the image begin with. */
const base = from('node:${NODE}-slim', { as: 'base', args: { NODE: '24' } })
  .env({ NODE_ENV: 'production' })
  .workdir('/app');

/** Dependencies alone, so that a change of the program does not fetch them again. */
const install = (flags: string) =>
  from(base)
    .copy(['package.json', 'package-lock.json'], './')
    .run(`npm ci ${flags}`, { mounts: [cache('/root/.npm')] });

const build = install('--include=dev')
  .as('build')
  .copy('.', '.', { exclude: ['**/*.md'] })
  .run(['node', '--run', 'build']);

const check = from(base, { as: 'check' }).run('set -e\nnode --check dist/server.js\nnode --test dist > /report.txt', {
  mounts: [bind('dist', { from: build, source: '/app/dist' })],
  network: 'none',
});

export const image = from(base)
  .copy('/app/node_modules', 'node_modules', { from: install('--omit=dev').as('modules') })
  .copy('/app/dist', 'dist', { from: build })
  .copy('/report.txt', '/usr/share/doc/app/', { from: check, chmod: 0o444 })
  .write('/etc/app.json', literal(JSON.stringify({ title: 'It costs $5', port: 8080 })), { mode: 0o644 })
  .label({ 'org.opencontainers.image.title': 'An application in TypeScript' })
  .expose(8080)
  .user('node')
  .healthcheck(['node', 'dist/health.js'], { interval: '30s', retries: 3 })
  .cmd(['node', 'dist/server.js']);

const linux = { os: 'linux', architecture: 'amd64' };

const inputs = {
  buildArgs: {},
  labels: {},
  contexts: {},
  platform: linux,
  buildPlatform: linux,
  hasContext: true,
};

/** The graph on bases that set nothing; a build has their configs from a registry. */
function graphOf(stage: typeof image) {
  const ast = stage.toAst({ name: 'build.ts' });
  const plain = { platform: linux, config: {}, diffIds: [], history: [] };
  const configs: ResolvedConfigs = new Map(needs(ast, inputs, new Map()).map((need) => [needKey(need), plain]));
  return toGraph(ast, inputs, configs);
}

if (import.meta.main) {
  const text = process.argv.includes('--graph')
    ? `${JSON.stringify(graphOf(image), undefined, 2)}\n`
    : image.toDockerfile();
  process.stdout.write(text);
}
