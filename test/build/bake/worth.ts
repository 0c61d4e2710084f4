import { lookupIn } from '../../../src/build/bake/load.ts';
import { parseDefinition } from '../../../src/build/bake/definition/parse.ts';
import { selectTargets } from '../../../src/build/bake/definition/select.ts';
import { printable } from '../../../src/build/bake/definition/print.ts';
import type { Definition } from '../../../src/build/bake/index.ts';

/** What stands around definitions in these tests. */
export interface Around {
  readonly environment?: Readonly<Record<string, string>>;
  /** `name` to text, for `env_file`. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Reads files given as `name` to text; nothing but what is given is touched. */
export function define(sources: Readonly<Record<string, string>>, around: Around = {}): Promise<Definition> {
  const { environment = {}, files = {} } = around;
  return parseDefinition(
    Object.entries(sources).map(([name, text]) => ({ name, text })),
    {
      lookup: lookupIn({ files: [], environment }),
      machine: {
        now: new Date('2026-01-02T03:04:05Z'),
        homeFolder: '/home/me',
        uuid: () => '00000000-0000-4000-8000-000000000000',
      },
      builtIn: { BAKE_CMD_CONTEXT: 'cwd://', BAKE_LOCAL_PLATFORM: 'linux/amd64' },
      compose: { variables: environment, read: (path) => files[path] },
    },
  );
}

export interface Choice extends Around {
  readonly names?: readonly string[];
  readonly set?: readonly string[];
}

/** What `--print` shows, of all targets unless some are named. */
export async function print(
  sources: Readonly<Record<string, string>>,
  { names = ['*'], set = [], ...around }: Choice = {},
): Promise<{
  readonly group?: Record<string, { targets: readonly string[]; description?: string }>;
  readonly target: Record<string, Record<string, unknown>>;
}> {
  const definition = await define(sources, around);
  const lookup = (name: string): string | undefined => around.environment?.[name];
  return printable(selectTargets(definition, { names, overrides: set, lookup })) as Awaited<ReturnType<typeof print>>;
}

/** The worth of an expression, as JSON. */
export async function worth(expression: string, around: Around = {}): Promise<string> {
  const { variables } = await define({ 'x.hcl': `variable "x" {\n  default = jsonencode(${expression})\n}\n` }, around);
  return variables[0]?.value ?? '';
}
