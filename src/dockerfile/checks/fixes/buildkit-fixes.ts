import type { Fix } from '../finding.ts';
import { fixKeywordCasing, fixStageNameCasing } from './casing.ts';
import { fixEmptyContinuation } from './empty-continuation.ts';
import { fixExposeFormat, fixExposeProtocol } from './expose.ts';
import type { FixContext } from './fix-context.ts';
import { fixJsonArgs } from './json-args.ts';
import { fixLegacyKeyValue } from './key-value.ts';
import { fixMaintainer } from './maintainer.ts';
import { fixRedundantPlatform } from './redundant-platform.ts';

/** By the names of BuildKit's rules; the others need somebody who knows what was meant. */
const fixes: Readonly<Record<string, (context: FixContext) => Fix | undefined>> = {
  StageNameCasing: fixStageNameCasing,
  FromAsCasing: fixKeywordCasing,
  ConsistentInstructionCasing: fixKeywordCasing,
  NoEmptyContinuation: fixEmptyContinuation,
  MaintainerDeprecated: fixMaintainer,
  LegacyKeyValueFormat: fixLegacyKeyValue,
  ExposeProtoCasing: fixExposeProtocol,
  ExposeInvalidFormat: fixExposeFormat,
  RedundantTargetPlatform: fixRedundantPlatform,
  JSONArgsRecommended: fixJsonArgs,
};

/** What would mend a finding of one of BuildKit's rules, where that changes nothing but what the rule is about. */
export function fixFor(rule: string, context: FixContext): Fix | undefined {
  return Object.hasOwn(fixes, rule) ? fixes[rule]?.(context) : undefined;
}
