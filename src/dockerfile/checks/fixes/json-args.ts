import type { Fix } from '../finding.ts';
import type { FixContext } from './fix-context.ts';

/** What only a shell knows. */
const builtins: ReadonlySet<string> = new Set(
  '. : alias bg break builtin case cd command continue declare dirs do eval exit export fg fi for function getopts hash history if jobs let local popd pushd read readonly return select set shift shopt source then time times trap type typeset ulimit umask unalias unset until wait while'.split(
    ' ',
  ),
);

/**
 * `CMD node server.js` as a JSON array, if the shell has nothing to do for it. The process then is the first one and gets
 * signals itself, which is what the rule is about.
 */
export function fixJsonArgs(context: FixContext): Fix | undefined {
  const { ast, facts, positions, instruction } = context;
  const { args, range, json } = instruction;
  const [command] = args;
  if (json || command === undefined || !/^[A-Za-z0-9_./:=@%+, \t-]+$/.test(command)) return undefined;
  const words = command.trim().split(/[ \t]+/);
  // The shell's `exec` does what the array does.
  if (words[0] === 'exec' && words.length > 1 && !words[1]?.startsWith('-')) words.shift();
  const [program = ''] = words;
  if (program.includes('=') || builtins.has(program) || program === 'exec') return undefined;
  // A shell runs a script that has no #! line; nothing else does.
  if (program.endsWith('.sh') || facts.mayBeWindows || hasPartner(context)) return undefined;
  const { span } = positions.find(range, { arg: 0 });
  if (/\n[ \t]*#/.test(ast.source.text.slice(span.start, span.end))) return undefined;
  const text = `[${words.map((word) => JSON.stringify(word)).join(', ')}]`;
  return { title: `write ${text}`, edits: [{ ...span, text }] };
}

/** Whether the stage has both CMD and ENTRYPOINT: one's words become arguments of the other, which a shell's would not. */
function hasPartner({ facts, instruction }: FixContext): boolean {
  return facts.stageHas(instruction, instruction.name.toLowerCase() === 'cmd' ? 'entrypoint' : 'cmd');
}
