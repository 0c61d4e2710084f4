import { type ComposeInputs, looksLikeCompose, readCompose } from '../compose/read.ts';
import { parseJsonDefinition } from '../hcl/json.ts';
import { parseHcl } from '../hcl/parser.ts';
import type { Source } from '../hcl/source.ts';
import type { Body } from '../hcl/syntax.ts';
import { readDefinition, type ReadInputs } from './reader.ts';
import type { Definition } from './target.ts';

export interface DefinitionInputs extends ReadInputs {
  readonly compose: ComposeInputs;
}

/**
 * What files say together: compose files first, then those in HCL and JSON in their order. Touches nothing but what it is given.
 * @throws BuildError BAKE_INVALID with file, line and column
 */
export async function parseDefinition(sources: readonly Source[], inputs: DefinitionInputs): Promise<Definition> {
  const compose: Source[] = [];
  const bodies: Body[] = [];
  for (const source of sources) {
    const form = await formOf(source);
    if (form === 'compose') compose.push(source);
    else bodies.push(form === 'json' ? parseJsonDefinition(source) : parseHcl(source));
  }
  const none: Definition = { groups: [], targets: [], variables: [], warnings: [] };
  const before = compose.length === 0 ? none : await readCompose(compose, inputs.compose);
  return bodies.length === 0 ? before : readDefinition(bodies, before, inputs);
}

/** By the name; where that says nothing, by what is in it. */
async function formOf(source: Source): Promise<'compose' | 'json' | 'hcl'> {
  const name = source.name.toLowerCase();
  if (name.endsWith('.yaml') || name.endsWith('.yml')) return 'compose';
  if (name.endsWith('.json')) return 'json';
  if (name.endsWith('.hcl')) return 'hcl';
  if (/^\s*\{/.test(source.text)) return 'json';
  return /^services\s*:/m.test(source.text) && (await looksLikeCompose(source)) ? 'compose' : 'hcl';
}
