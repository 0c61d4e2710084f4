// Writes docs/dockerfile.md from the table that the tests check: `node tools/language-docs.ts`.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildkitRules, ownRules } from '../src/dockerfile/index.ts';
import { type Feature, type Mark, type Outcome, type Section, sections } from '../test/dockerfile/support-table.ts';

const intro = `# The Dockerfile language

What Slipway understands, row by row, beside BuildKit 0.32 (Dockerfile frontend 1.20) and buildah 1.44. Every row is a test
(\`test/dockerfile/support-table.ts\`): the example is read, and what is said to come of it must come of it. This page is written
from that table by \`node tools/language-docs.ts\`, and a test fails when the two differ.

This is about what a Dockerfile means. What a build cannot carry out (devices, say) it says when it is to be
done.

✓ has it · ~ in part · ✗ has it not, or refuses it · ∅ reads it and does nothing with it. The columns of the others are what we found
when we measured them or read their source, and are not tested here.

The language is a library of its own, pure and without dependencies on the rest:
\`import { parse, check, needs, toGraph } from 'slipway/dockerfile'\` (see [library.md](library.md)). Related pages:
[graph.md](graph.md) (what \`--print\` prints), [checks](checks/README.md) (the rules of \`slipway check\`), [format.md](format.md).
`;

const rules = `## Checks

${Object.keys(buildkitRules).length} rules of BuildKit's, by the same names and with the same words and lines (neither buildah nor podman has any): ${Object.keys(buildkitRules).join(', ')}.
And [${ownRules.length} of ours](checks/README.md).
`;

const outro = `## Where we differ from BuildKit on purpose

- \`# syntax=\` names no other frontend: it is noted once and ignored. \`RUN --device\` is read, and said to have no effect.
- No line is too long (BuildKit stops at 64 KiB); what can only be an attack is bounded instead: 400 nested substitutions, 1 MiB of
  expanded text in a word (64 MiB in a heredoc), 50 nested ONBUILDs.
- FROM finds a stage whatever the case of its name, as COPY --from does everywhere.
- \`--chown=nosuch\` fails the build; BuildKit silently takes root.
- \`*\`, \`!dir/**/*.go\`, \`dir/skip\` in .dockerignore leave \`dir/skip\` out; BuildKit puts its files in empty.
- \`COPY --parents . /x/\` works; BuildKit 0.32 says that "/" is not found.
- Errors name the column and point at the word. Findings of \`--check\` do too, and are given for ONBUILD triggers of stages that the
  target does not need.
`;

/** The page for a table of features. */
export function languagePage(table: readonly Section[]): string {
  return `${intro}\n${table.map(section).join('\n')}\n${rules}\n${outro}`;
}

function section({ title, features }: Section): string {
  const head = '| | example | what comes of it | Slipway | BuildKit | buildah |\n|---|---|---|:-:|:-:|:-:|';
  return `## ${title}\n\n${head}\n${features.map(line).join('\n')}\n`;
}

function line({ name, example, gives, given, buildkit, buildah }: Feature): string {
  const flags = given === undefined ? '' : `${code(given.flags)}<br>`;
  return `| ${cell(name)} | ${flags}${code(example)} | ${outcome(gives)} | ✓ | ${sign(buildkit)} | ${sign(buildah)} |`;
}

function sign(mark: Mark): string {
  return { yes: '✓', partly: '~', no: '✗', ignored: '∅' }[mark];
}

function outcome(gives: Outcome): string {
  if ('error' in gives) return `error${gives.at === undefined ? '' : ` at ${gives.at}`}: ${code(gives.error)}`;
  if ('warning' in gives) return `warning: ${code(gives.warning)}`;
  if ('ast' in gives) return code(gives.ast);
  if ('description' in gives) return `description: ${code(gives.description)}`;
  if ('excluded' in gives) return `without ${paths(gives.excluded)}<br>with ${paths(gives.kept)}`;
  if ('steps' in gives) return code(gives.steps.join('\n'));
  const members = Object.entries('config' in gives ? gives.config : gives.step);
  if (members.length === 0) return 'no finding';
  return members
    .map(([name, value]) => `${name}: ${value === undefined ? 'none' : code(JSON.stringify(value))}`)
    .join('<br>');
}

function paths(list: readonly string[]): string {
  return list.map(code).join(', ');
}

/** Each line a code span; what tables and spans read is made harmless, and long words are cut. */
function code(text: string): string {
  return text
    .replace('\ufeff', '␣BOM␣')
    .replaceAll('\r', '␍')
    .replaceAll('\t', '⇥')
    .replace(/x{100,}/g, 'xxx…')
    .replace(/0{30,}/g, '00…')
    .split('\n')
    .map((part) => (part === '' ? '' : span(part)))
    .join('<br>');
}

function span(text: string): string {
  const marks = text.includes('`') ? '``' : '`';
  const inner = marks === '``' ? ` ${text} ` : text;
  return `${marks}${inner.replaceAll('|', '\\|')}${marks}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

if (import.meta.main)
  writeFileSync(join(dirname(import.meta.dirname), 'docs', 'dockerfile.md'), languagePage(sections));
