import { cleanPath } from '../definition/paths.ts';
import { FunctionFailure } from '../hcl/limits.ts';
import type { Source } from '../hcl/source.ts';
import { messageOf } from '../../../errors.ts';
import { BuildError } from '../../error.ts';
import { isRemote } from '../definition/select.ts';
import type { Definition, Target } from '../definition/target.ts';
import { parseDotenv } from './dotenv.ts';
import { type ComposeDocument, parseYaml, Reading } from './document.ts';
import type { Variables } from './interpolate.ts';
import { mergeServices, readService, type Service } from './service.ts';
import { readComposeSecrets, targetOf, type ComposeSecret } from './target.ts';

export interface ComposeInputs {
  /** The environment, `.env` included. */
  readonly variables: Variables;
  /** Reads a file that `env_file` names; undefined where there is none. */
  read(path: string): string | undefined;
}

/** Whether a text that no name tells about is a compose file: a mapping with services. */
export async function looksLikeCompose(source: Source): Promise<boolean> {
  try {
    const { root } = await parseYaml(source, {});
    return typeof root === 'object' && root !== null && 'services' in root;
  } catch {
    return false;
  }
}

/**
 * What the services of compose files say of their builds; later files add to earlier ones.
 * @throws BuildError BAKE_INVALID
 */
export async function readCompose(sources: readonly Source[], inputs: ComposeInputs): Promise<Definition> {
  const warnings: string[] = [];
  const services = new Map<string, Service>();
  const secrets = new Map<string, ComposeSecret>();
  for (const source of sources) {
    const document = await parseYaml(source, inputs.variables);
    const reading = new Reading(document);
    for (const [name, secret] of readComposeSecrets(reading)) secrets.set(name, secret);
    for (const [name, service] of readServices(document, reading, warnings)) {
      const earlier = services.get(name);
      services.set(name, earlier === undefined ? service : mergeServices(earlier, service));
    }
  }
  const names = [...services.keys()].sort();
  const targets = names.flatMap((name): Target[] => {
    const service = extended(name, services, []);
    if (service.build === undefined) {
      if (service.image !== undefined) return [];
      throw new BuildError(
        'BAKE_INVALID',
        `service ${JSON.stringify(name)} has neither an image nor a build context specified`,
      );
    }
    const build = { ...service.build, context: resolvePath(service.build.context ?? '.') };
    return [
      targetOf(
        name,
        { ...service, build },
        { secrets, variables: { ...inputs.variables, ...environmentOf(service, inputs) } },
      ),
    ];
  });
  return { groups: [{ name: 'default', targets: targets.map(({ name }) => name) }], targets, variables: [], warnings };
}

function readServices(document: ComposeDocument, reading: Reading, warnings: string[]): Map<string, Service> {
  const root = reading.object(document.root, []);
  const { name } = document.source;
  if (root['include'] !== undefined) reading.fail(['include'], 'other files are not included; give them with -f');
  if (root['services'] === undefined && root['secrets'] === undefined)
    throw new BuildError('BAKE_INVALID', `${name}: empty compose file`);
  const services = Object.entries(reading.object(root['services'], ['services']));
  return new Map(
    services.map(([service, value]) => [
      service,
      readService(reading, value, ['services', service], (what) => warnings.push(`${name}: ${what}`)),
    ]),
  );
}

function extended(name: string, services: ReadonlyMap<string, Service>, path: readonly string[]): Service {
  const service = services.get(name);
  if (service === undefined)
    throw new BuildError('BAKE_INVALID', `service ${path.at(-1)} extends ${name}, which is not there`);
  if (service.extends === undefined) return service;
  if (path.includes(name))
    throw new BuildError('BAKE_INVALID', `services extend each other: ${[...path, name].join(' → ')}`);
  return mergeServices(extended(service.extends, services, [...path, name]), service);
}

/** What the service itself would see: arguments without a value are taken from it first. */
function environmentOf({ environment, envFiles }: Service, inputs: ComposeInputs): Record<string, string> {
  const { variables } = inputs;
  const found: Record<string, string> = {};
  for (const { path, required } of envFiles) {
    const text = inputs.read(path);
    if (text === undefined && required) throw new BuildError('BAKE_NOT_FOUND', `env file ${path} not found`);
    if (text !== undefined) Object.assign(found, readVariables(path, text, { ...variables, ...found }));
  }
  for (const [name, value] of Object.entries(environment)) {
    const given = value ?? variables[name];
    if (given !== undefined) found[name] = given;
  }
  return found;
}

/** @throws BuildError BAKE_INVALID */
export function readVariables(path: string, text: string, known: Variables): Readonly<Record<string, string>> {
  try {
    return parseDotenv(text, known);
  } catch (error) {
    if (!(error instanceof FunctionFailure)) throw error;
    throw new BuildError('BAKE_INVALID', `${path}: ${messageOf(error)}`, { cause: error });
  }
}

function resolvePath(path: string): string {
  return path.includes('://') || isRemote(path) ? path : cleanPath(path);
}
