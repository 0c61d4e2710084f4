import { quote } from '../quote.ts';
import { argLine } from './config.ts';
import type { NameOf, Origin, StageDefinition } from './definition.ts';
import { charactersOf, type DockerfileText } from './literal.ts';
import { expandable, flag, instructionLine, invalid } from './quoting.ts';

/**
 * The Dockerfile whose last stage is `target`: the stages it reads come before it, each once, equal ones as one.
 * @throws DockerfileError INVALID_ARGUMENT where stages disagree on a name
 */
export function writeProgram(target: StageDefinition): string {
  const definitions = inOrder(target);
  const taken = takenNames(definitions);
  const names = new Map<StageDefinition, string>();
  const nameOf: NameOf = (origin) => (typeof origin === 'string' ? origin : (names.get(origin) ?? ''));
  const written = new Map<string, string>();
  const owners = new Set<string>();
  const stages: string[] = [];
  for (const definition of definitions) {
    const body = stageBody(definition, nameOf);
    const key = JSON.stringify([definition.name, body]);
    const known = definition === target ? undefined : written.get(key); // the target stays the last
    const name = known ?? definition.name ?? freeName(stages.length, taken);
    names.set(definition, name);
    if (known !== undefined) continue;
    if (owners.has(name)) throw invalid(`two different stages are called ${quote(name)}`);
    owners.add(name);
    written.set(key, name);
    const shown = definition === target && definition.name === undefined ? '' : `AS ${name}`;
    stages.push([instructionLine('FROM', ...body.from, shown), ...body.lines].join('\n'));
  }
  const args = globalArgLines(definitions);
  return `${[...(args.length === 0 ? [] : [args.join('\n')]), ...stages].join('\n\n')}\n`;
}

interface StageBody {
  /** Behind FROM, without the stage's own name. */
  readonly from: readonly string[];
  readonly lines: readonly string[];
}

function stageBody({ base, platform, passages }: StageDefinition, nameOf: NameOf): StageBody {
  const platforms = platform === undefined ? [] : [flag('platform', expandable(platform))];
  return { from: [...platforms, nameOf(base)], lines: passages.map(({ write }) => write(nameOf)) };
}

/** Every stage behind those it reads; without recursion, since a program may chain as many as it likes. */
function inOrder(target: StageDefinition): StageDefinition[] {
  const done = new Set<StageDefinition>();
  const path = [{ stage: target, rest: stagesReadBy(target) }];
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const next = top.rest.shift();
    if (next === undefined) {
      done.add(top.stage);
      path.pop();
    } else if (!done.has(next)) path.push({ stage: next, rest: stagesReadBy(next) });
  }
  return [...done];
}

function originsOf({ base, passages }: StageDefinition): Origin[] {
  return [base, ...passages.flatMap(({ reads }) => reads)];
}

function stagesReadBy(stage: StageDefinition): StageDefinition[] {
  return originsOf(stage).filter((origin) => typeof origin !== 'string');
}

/** A made-up name must not be one that the author means something else by. */
function takenNames(definitions: readonly StageDefinition[]): ReadonlySet<string> {
  const names = definitions.flatMap((definition) => [definition.name, ...originsOf(definition)]);
  return new Set(names.filter((name) => typeof name === 'string').map((name) => name.toLowerCase()));
}

/** What the language itself calls a stage without a name. */
function freeName(index: number, taken: ReadonlySet<string>): string {
  for (let suffix = 1; ; suffix++) {
    const name = suffix === 1 ? `stage-${index}` : `stage-${index}-${suffix}`;
    if (!taken.has(name)) return name;
  }
}

function globalArgLines(definitions: readonly StageDefinition[]): string[] {
  const values = new Map<string, DockerfileText | undefined>();
  for (const { globalArgs } of definitions) {
    for (const [name, value] of Object.entries(globalArgs)) {
      if (values.has(name) && !isSame(values.get(name), value)) {
        throw invalid(`two stages give the global argument ${quote(name)} different values`);
      }
      values.set(name, value);
    }
  }
  return [...values].map(([name, value]) => argLine(name, value));
}

function isSame(one: DockerfileText | undefined, other: DockerfileText | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return typeof one === typeof other && charactersOf(one) === charactersOf(other);
}
