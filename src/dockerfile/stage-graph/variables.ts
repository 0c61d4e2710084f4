import { formatPlatform } from '../../oci/index.ts';
import type { Ast } from '../ast.ts';
import type { BuildInputs } from '../contract.ts';
import { at, placeIn } from '../place.ts';
import { expandText } from '../expand.ts';
import type { ArgCommand } from '../instructions/command.ts';
import { Budget } from './budget.ts';

/** A value of `--build-arg`, never an inherited member of the object. */
export function buildArg({ buildArgs }: BuildInputs, name: string): string | undefined {
  return Object.hasOwn(buildArgs, name) ? buildArgs[name] : undefined;
}

export interface GlobalOptions {
  readonly ast: Ast;
  /** What TARGETSTAGE says. */
  readonly target: string;
}

/** What FROM lines see, and ARG without a value inherits: platform arguments and the ARGs before the first FROM. */
export function globalVariables(
  inputs: BuildInputs,
  commands: readonly ArgCommand[],
  { ast, target }: GlobalOptions,
): ReadonlyMap<string, string> {
  return evaluate(platformVariables(inputs, target), commands, { ast, given: (name) => buildArg(inputs, name) });
}

/** The same where no ARG is given on the command line. */
export function defaultVariables(
  inputs: BuildInputs,
  commands: readonly ArgCommand[],
  { ast, target }: GlobalOptions,
): ReadonlyMap<string, string> {
  return evaluate(platformVariables(inputs, target), commands, { ast, given: () => undefined });
}

interface Evaluation {
  readonly ast: Ast;
  readonly given: (name: string) => string | undefined;
}

function evaluate(variables: Map<string, string>, commands: readonly ArgCommand[], { ast, given }: Evaluation) {
  const budget = new Budget();
  for (const { args, range } of commands) {
    for (const { key, value } of args) {
      const actual =
        given(key) ??
        (value === undefined
          ? undefined
          : at(placeIn(ast, range, 'build'), () => {
              const text = expandText(value, variables, { escape: ast.escape });
              budget.spend(text.length);
              return text;
            }));
      if (actual !== undefined) variables.set(key, actual);
    }
  }
  return variables;
}

function platformVariables(inputs: BuildInputs, target: string): Map<string, string> {
  const { buildPlatform: build, platform } = inputs;
  const { osVersion: _, ...buildWithoutVersion } = build;
  const values: Readonly<Record<string, string>> = {
    BUILDPLATFORM: formatPlatform(buildWithoutVersion),
    BUILDOS: build.os,
    BUILDOSVERSION: build.osVersion ?? '',
    BUILDARCH: build.architecture,
    BUILDVARIANT: build.variant ?? '',
    TARGETPLATFORM: formatPlatform(platform),
    TARGETOS: platform.os,
    TARGETOSVERSION: platform.osVersion ?? '',
    TARGETARCH: platform.architecture,
    TARGETVARIANT: platform.variant ?? '',
    TARGETSTAGE: target,
  };
  return new Map(Object.entries(values).map(([name, value]) => [name, buildArg(inputs, name) ?? value]));
}

const proxies: readonly string[] = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'];

/** Proxies given as build arguments, in both spellings, as RUN sees them without any ARG. */
export function proxyVariables(inputs: BuildInputs): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const name of Object.keys(inputs.buildArgs).toSorted()) {
    const upper = name.toUpperCase();
    const value = inputs.buildArgs[name];
    if (value !== undefined && proxies.includes(upper)) {
      variables.set(upper, value).set(upper.toLowerCase(), value);
    }
  }
  return variables;
}

/** Arguments that speak to the builder and never reach RUN. */
export const builderArguments: ReadonlySet<string> = new Set([
  'BUILDKIT_SBOM_SCAN_CONTEXT',
  'BUILDKIT_SBOM_SCAN_STAGE',
]);
