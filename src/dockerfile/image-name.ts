import { messageOf } from '../errors.ts';
import { familiarName, parseReference, type Reference } from '../oci/index.ts';
import type { BuildInputs, ContextKind } from './contract.ts';
import { DockerfileError } from './error.ts';
import { quote } from './quote.ts';

/** A named context that stands in for a name. */
export interface FoundContext {
  /** Its key in BuildInputs.contexts. */
  readonly key: string;
  readonly kind: ContextKind;
}

/** `busybox`, `busybox:latest` and `docker.io/library/busybox` as one name, which a named context may take. */
export function contextName(name: string): string {
  const lower = name.toLowerCase();
  const reference = tryReference(lower);
  return typeof reference === 'string' ? lower : familiarName(reference).replace(/:latest$/, '');
}

/** The context called `name`, however either is spelled. `scratch` and `context` cannot be replaced. */
export function findContext(name: string, contexts: BuildInputs['contexts']): FoundContext | undefined {
  const entries = Object.entries(contexts);
  if (entries.length === 0) return undefined; // reading a name takes its time, and there are many
  const wanted = contextName(name);
  if (wanted === 'scratch' || wanted === 'context') return undefined;
  for (const [key, kind] of entries) if (contextName(key) === wanted) return { key, kind };
  return undefined;
}

/** @throws DockerfileError INVALID_ARGUMENT */
export function checkImageName(name: string): void {
  const reference = tryReference(name);
  if (typeof reference !== 'string') return;
  throw new DockerfileError('INVALID_ARGUMENT', `failed to parse stage name ${quote(name)}: invalid reference format`, {
    hint: reference,
  });
}

/** The reference, or what is wrong with it. */
function tryReference(name: string): Reference | string {
  try {
    return parseReference(name);
  } catch (error) {
    return messageOf(error);
  }
}
