import type { Command, Contender, Role } from '../measure/index.ts';

export interface BuildRequest {
  readonly context: string;
  /** Value of `ARG BASE`. */
  readonly base: string;
  readonly name: string;
  /** Also to the registry that the name is of. */
  readonly push?: boolean;
  /** Every step is run, whatever is known. */
  readonly noCache?: boolean;
}

/** A program that builds images, with a store of its own in the benchmark's place. */
export interface Builder {
  readonly name: string;
  readonly role: Role;
  readonly env?: Readonly<Record<string, string>>;
  readonly servers?: Contender['servers'];
  build(request: BuildRequest): Command;
  /** BuildKit pushes only what it builds. */
  readonly push?: (image: string) => Command;
  readonly pull?: (image: string) => Command;
  /** As on a machine that has never built: its store is emptied, its daemon is another. */
  forget(): Promise<void>;
}

/** Options that hold no spaces, as they would be typed. */
export function words(text: string): string[] {
  return text.split(' ');
}

/** What `docker build` and all that are called like it take. */
export function dockersArguments({ base, name, noCache, context }: BuildRequest): string[] {
  return ['--build-arg', `BASE=${base}`, '-t', name, ...(noCache === true ? ['--no-cache'] : []), context];
}

/** What all runs of one builder have in common. */
export function contender(builder: Builder, command: Command): Contender {
  const { name, role, env, servers } = builder;
  return { name, role, command, ...(env && { env }), ...(servers && { servers }) };
}
