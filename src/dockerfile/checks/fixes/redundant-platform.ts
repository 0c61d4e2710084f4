import type { Fix } from '../finding.ts';
import type { FixContext } from './fix-context.ts';

/** Takes `--platform=$TARGETPLATFORM` away, with the blanks behind it. */
export function fixRedundantPlatform({ ast, positions, instruction }: FixContext): Fix | undefined {
  const index = instruction.flags.findIndex((flag) => flag.startsWith('--platform='));
  if (index < 0) return undefined;
  const { start, end } = positions.find(instruction.range, { flag: index }).span;
  const blanks = /^[ \t]*/.exec(ast.source.text.slice(end))?.[0].length ?? 0;
  return { title: 'remove --platform', edits: [{ start, end: end + blanks, text: '' }] };
}
