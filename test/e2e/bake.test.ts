import { beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { busyboxBase, whyNoBusyboxBase } from './busybox-base.ts';
import { leftovers } from './leftovers.ts';
import { runCli, slipway, testHome } from './run-cli.ts';

const reason = whyNoBusyboxBase();

/** Two targets over a third one, and a matrix; everything writes files into `out`. */
const definition = `
variable "WHO" { default = "world" }
group "default" { targets = ["app", "tool"] }
target "_busybox" {
  contexts = { busybox = "oci-layout://busybox" }
}
target "base" {
  inherits = ["_busybox"]
  dockerfile-inline = <<EOT
FROM busybox
RUN head -c16 /dev/urandom | od -A n -t x1 > /random
EOT
}
target "app" {
  inherits   = ["_busybox"]
  contexts   = { mybase = "target:base" }
  dockerfile = "app.Dockerfile"
  args       = { WHO = upper(WHO) }
  tags       = ["bake/app:1"]
  output     = ["type=image", "type=local,dest=out/app"]
}
target "tool" {
  inherits = ["_busybox"]
  contexts = { mybase = "target:base" }
  dockerfile-inline = "FROM busybox\\nCOPY --from=mybase /random /random\\nRUN echo tool > /tool"
  output   = ["type=local,dest=out/tool"]
}
target "one" {
  inherits = ["_busybox"]
  matrix   = { name = ["a", "b"] }
  name     = "one-\${name}"
  dockerfile-inline = <<EOT
FROM busybox
RUN head -c16 /dev/urandom | od -A n -t x1 > /common
RUN echo \${name} > /name
EOT
  output   = ["out/\${name}"]
}
`;

(reason === undefined ? describe : describe.skip)(`slipway bake${reason === undefined ? '' : ` (${reason})`}`, () => {
  let home: string;
  let folder: string;

  beforeAll(async () => {
    home = await testHome();
    folder = join(home, 'project');
    await mkdir(folder);
    await busyboxBase(join(folder, 'busybox'));
    await writeFile(join(folder, 'docker-bake.hcl'), definition);
    await writeFile(join(folder, 'app.Dockerfile'), 'FROM mybase\nARG WHO\nRUN echo "hello $WHO" > /hello\n');
  });

  const bake = (...args: readonly string[]) => runCli(['bake', ...args], { cwd: folder });
  const content = (...path: readonly string[]) => readFile(join(folder, 'out', ...path), 'utf8');

  it('prints and lists a definition without a store', async () => {
    const env = { SLIPWAY_ROOT: join(home, 'no-store'), WHO: 'env' };
    const printed = await slipway(['bake', '--print', '--set', 'app.tags+=bake/app:2', 'app'], { cwd: folder, env });
    expect(JSON.parse(printed)).toEqual({
      group: { default: { targets: ['app'] } },
      target: {
        app: {
          context: '.',
          contexts: { busybox: 'oci-layout://busybox', mybase: 'target:base' },
          dockerfile: 'app.Dockerfile',
          args: { WHO: 'ENV' },
          tags: ['bake/app:1', 'bake/app:2'],
          output: [{ type: 'image' }, { dest: 'out/app', type: 'local' }],
        },
        base: expect.objectContaining({ output: [{ type: 'cacheonly' }] }),
      },
    });
    expect(await slipway(['bake', '--list=targets'], { cwd: folder, env })).toMatch(/^one\s+one-a, one-b$/m);
    expect(await slipway(['bake', '--list=type=variables,format=json'], { cwd: folder, env })).toContain(
      '"value": "env"',
    );
    expect(existsSync(env.SLIPWAY_ROOT)).toBe(false);
  });

  it('reads again what it printed', async () => {
    const printed = await slipway(['bake', '--print', '*'], { cwd: folder });
    const again = await slipway(['bake', '-f', '-', '--print', '*'], { cwd: folder, input: printed });
    expect((JSON.parse(again) as { target: unknown }).target).toEqual(
      (JSON.parse(printed) as { target: unknown }).target,
    );
  });

  it('builds what targets stand on once, and hands it over', async () => {
    const { code, stderr } = await bake('--metadata-file', 'meta.json', '--progress', 'plain', '--var', 'WHO=you');
    expect([code, stderr]).toEqual([0, expect.stringContaining('[app 2/2] RUN echo "hello YOU" > /hello')]);
    expect(stderr.match(/^#\d+ \[base 2\/2\] RUN head/gm)).toHaveLength(1);
    expect(await content('app', 'hello')).toBe('hello YOU\n');
    expect(await content('app', 'random')).toBe(await content('tool', 'random'));
    expect(Object.keys(JSON.parse(await readFile(join(folder, 'meta.json'), 'utf8')) as object).sort()).toEqual([
      'app',
      'base',
      'tool',
    ]);
  });

  it('leaves nothing of what was only handed over', async () => {
    expect((await slipway(['images', '-a', '--format', '{{.Repository}}:{{.Tag}}'])).trim()).toBe('bake/app:1');
  });

  it('does a step once that several targets have at the same time', async () => {
    expect(await bake('one')).toMatchObject({ code: 0 });
    expect([await content('a', 'name'), await content('b', 'name')]).toEqual(['a\n', 'b\n']);
    expect(await content('a', 'common')).toBe(await content('b', 'common'));
  });

  it('hands the image of each platform over to the target for that platform', async () => {
    await writeFile(
      join(folder, 'platforms.hcl'),
      `target "all" {
  platforms = ["linux/amd64", "linux/arm64"]
  contexts = { parts = "target:parts" }
  dockerfile-inline = "FROM parts\\nCOPY app.Dockerfile /app"
  output = ["out/all"]
}
target "parts" {
  platforms = ["linux/arm64", "linux/amd64"]
  dockerfile-inline = "FROM scratch\\nARG TARGETARCH\\nCOPY app.Dockerfile /of-$\${TARGETARCH}"
}
`,
    );
    await slipway(['bake', '-f', 'platforms.hcl', 'all'], { cwd: folder });
    for (const platform of ['amd64', 'arm64']) {
      expect((await readdir(join(folder, 'out', 'all', `linux_${platform}`))).sort()).toEqual([
        'app',
        `of-${platform}`,
      ]);
    }
  });

  it('reads JSON and compose files together', async () => {
    await writeFile(
      join(folder, 'more.yaml'),
      'services:\n  svc:\n    image: bake/svc:1\n    build:\n      context: .\n      dockerfile_inline: |\n        FROM busybox\n        ARG A=none\n        RUN echo $$A > /a\n      args: [A]\n',
    );
    const json = {
      target: { svc: { contexts: { busybox: 'oci-layout://busybox' }, output: ['out/${lower("SVC")}'] } },
    };
    await writeFile(join(folder, 'more.json'), JSON.stringify(json));
    await slipway(['bake', '-f', 'more.yaml', '-f', 'more.json', 'svc'], { cwd: folder, env: { A: 'from outside' } });
    expect(await content('svc', 'a')).toBe('from outside\n');
  });

  it('ends the others when one target fails, and tells each cause once', async () => {
    await writeFile(
      join(folder, 'bad.hcl'),
      `target "t" {
  matrix = { n = ["bad1", "bad2", "slow"] }
  name = n
  contexts = { busybox = "oci-layout://busybox" }
  args = { N = n == "slow" ? "slow" : "bad" }
  dockerfile-inline = "FROM busybox\\nARG N\\nRUN [ $N = slow ] && sleep 60; echo it is broken; exit 7"
}
`,
    );
    const { code, stderr } = await bake('-f', 'bad.hcl', 't');
    expect(code).toBe(7);
    expect(stderr.match(/^ERROR: .*$/gm)).toEqual([expect.stringMatching(/^ERROR: target bad[12]: .*exit code: 7/)]);
  }, 50_000);

  it('checks Dockerfiles instead of building them, also over other targets', async () => {
    await writeFile(
      join(folder, 'check.hcl'),
      `${definition}\ntarget "shout" {\n  description = "loud"\n  contexts = { mybase = "target:base" }\n  dockerfile-inline = "from mybase\\nRUN true"\n}\n`,
    );
    const { code, stdout } = await bake('-f', 'check.hcl', '--check', 'shout', 'tool');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^shout\nloud\n\n[^]*ConsistentInstructionCasing[^]*\n\ntool\n/);
  });

  const refused: readonly (readonly [string, readonly string[], number, string])[] = [
    ['a target that is not there', ['nope'], 1, 'failed to find target nope'],
    [
      'an override of one that is not there',
      ['--set', 'nope.tags=x'],
      125,
      "could not find any target matching 'nope'",
    ],
    [
      'files outside of the working folder',
      ['--set', 'app.args.A=1', '-f', 'outside.hcl'],
      1,
      'additional privileges requested: reading ../elsewhere',
    ],
    ['a definition of elsewhere', ['https://github.com/docker/buildx.git'], 125, 'read from this machine only'],
    ['a definition that is not there', ['-f', 'nope.hcl'], 1, 'cannot read nope.hcl'],
    ['a mistake, with its place', ['-f', 'mistake.hcl'], 1, 'mistake.hcl:2:11: there is no variable "x"'],
    ['printing and listing at once', ['--print', '--list=targets'], 125, 'mutually exclusive'],
  ];
  it.each(refused)('refuses %s', async (_, args, status, why) => {
    await writeFile(
      join(folder, 'outside.hcl'),
      'target "app" { context = "../elsewhere" }\ngroup "default" { targets = ["app"] }\n',
    );
    await writeFile(join(folder, 'mistake.hcl'), 'target "default" {\n  tags = [x]\n}\n');
    const { code, stderr } = await bake(...args);
    expect([code, stderr]).toEqual([status, expect.stringContaining(why)]);
  });

  it('leaves nothing behind', async () => {
    expect(await leftovers(home)).toEqual([]);
  });
});
