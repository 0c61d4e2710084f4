import { join } from 'node:path';
import { type BakeTarget, isRemote } from '../../build/index.ts';
import { UsageError } from '../../errors.ts';

/** A target as `build` would be told of it. */
export interface TargetLine {
  readonly context: string;
  readonly flags: readonly string[];
  /** The Dockerfile itself, where the definition holds it. */
  readonly inline?: string;
  /** Contexts that other targets' results stand in for: the context's name, and the target. */
  readonly needs: Readonly<Record<string, string>>;
  /** What the definition asks for and is not done. */
  readonly warnings: readonly string[];
}

/**
 * The flags that a target's attributes are, so that each means what it means for `build`.
 * @param known which flags there are
 * @throws UsageError for what cannot be had here
 */
export function targetLine(target: BakeTarget, known: (flag: string) => boolean): TargetLine {
  const context = local(target.context ?? '.');
  refuse(target);
  const { needs, contexts } = splitContexts(target.contexts ?? {});
  const inline = target['dockerfile-inline'];
  const lines = [
    ...dockerfileFlag(target, context),
    ...pairs('build-arg', target.args),
    ...pairs('label', target.labels),
    ...pairs('build-context', contexts),
    ...values('tag', target.tags),
    ...values('platform', target.platforms),
    ...values('annotation', target.annotations),
    ...values('no-cache-filter', target['no-cache-filter']),
    ...values('ulimit', target.ulimits),
    ...values('allow', target.entitlements),
    ...Object.entries(target['extra-hosts'] ?? {}).flatMap(([host, addresses]) =>
      addresses.split(',').map((address) => `--add-host=${host}=${address}`),
    ),
    ...pairs('resource', target.resources),
    ...single('target', target.target),
    ...single('network', target.network),
    ...single('shm-size', target['shm-size']),
    ...(target['no-cache'] === true ? ['--no-cache'] : []),
    ...(target.pull === true ? ['--pull'] : []),
    ...(target.output ?? []).flatMap(outputFlag),
    ...(target.secret ?? []).map((entry) => `--secret=${csv(entry)}`),
    ...(target.ssh ?? []).map(({ id, paths }) => `--ssh=${paths.length === 0 ? id : `${id}=${paths.join(',')}`}`),
    ...(target['cache-from'] ?? []).map((entry) => `--cache-from=${csv(entry)}`),
    ...(target['cache-to'] ?? []).map((entry) => `--cache-to=${csv(entry)}`),
    ...(target.attest ?? []).map((entry) => `--attest=${csv(entry)}`),
  ];
  const isKnown = (line: string): boolean => known(/^--([^=]+)/.exec(line)?.[1] ?? '');
  const unknown = lines.filter((line) => !isKnown(line) && !line.includes('disabled=true'));
  return {
    context,
    flags: lines.filter(isKnown),
    ...(inline === undefined ? {} : { inline }),
    needs,
    warnings: unknown.map((line) => `target ${target.name}: ${line.slice(2)} is not supported yet and has no effect`),
  };
}

function refuse(target: BakeTarget): void {
  const { name, context, dockerfile, policy = [] } = target;
  if (context === '-') throw new UsageError(`target ${name}: a context cannot come from standard input in bake`);
  if (dockerfile === '-') throw new UsageError(`target ${name}: a Dockerfile cannot come from standard input in bake`);
  // A policy that is not enforced would let pass what it is there to stop.
  if (policy.length > 0)
    throw new UsageError(`target ${name}: policy is not supported`, {
      hint: 'remove the attribute to build without it',
    });
}

/** `cwd://` says what holds for all paths here: they begin in the working folder. */
function local(path: string): string {
  return path.startsWith('cwd://') ? join('.', path.slice('cwd://'.length)) : path;
}

/** A Dockerfile is looked for in its context, whatever the working folder has. */
function dockerfileFlag(target: BakeTarget, context: string): string[] {
  if (target['dockerfile-inline'] !== undefined) return ['--file=-'];
  const { dockerfile = 'Dockerfile' } = target;
  if (dockerfile.startsWith('cwd://')) return [`--file=${local(dockerfile)}`];
  if (dockerfile === 'Dockerfile') return [];
  return [`--file=${isRemote(context) || dockerfile.startsWith('/') ? dockerfile : join(context, dockerfile)}`];
}

function splitContexts(
  all: Readonly<Record<string, string>>,
): Pick<TargetLine, 'needs'> & { contexts: Record<string, string> } {
  const needs: Record<string, string> = {};
  const contexts: Record<string, string> = {};
  for (const [name, value] of Object.entries(all)) {
    if (value.startsWith('target:')) needs[name] = value.slice('target:'.length);
    else contexts[name] = local(value);
  }
  return { needs, contexts };
}

/** The store has every result: docker without a file is that. */
function outputFlag(entry: Readonly<Record<string, string>>): string[] {
  const { type, dest, ...rest } = entry;
  if (type === 'docker' && dest === undefined) return [`--output=${csv({ type: 'image', ...rest })}`];
  return [`--output=${csv(entry)}`];
}

function values(flag: string, texts: readonly string[] = []): string[] {
  return texts.map((text) => `--${flag}=${text}`);
}

function pairs(flag: string, map: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(map).map(([key, value]) => `--${flag}=${key}=${value}`);
}

function single(flag: string, text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : [`--${flag}=${text}`];
}

/** One line of comma-separated values, `type` first. */
function csv(entry: Readonly<Record<string, string>>): string {
  const { type, ...rest } = entry;
  const fields = Object.entries(type === undefined ? rest : { type, ...rest }).map(([key, value]) => `${key}=${value}`);
  return fields.map((field) => (/[,"]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',');
}
