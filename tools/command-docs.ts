// Writes docs/commands.md from the commands' own declarations: `node tools/command-docs.ts` after a build.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);

interface Flag {
  readonly name: string;
  readonly char?: string;
  readonly type: 'boolean' | 'option';
  readonly description?: string;
  readonly helpValue?: string;
  readonly default?: unknown;
  readonly options?: readonly string[];
}

interface Argument {
  readonly name: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly multiple?: boolean;
}

interface Declaration {
  readonly id: string;
  readonly summary?: string;
  readonly description?: string;
  readonly args: Readonly<Record<string, Argument>>;
  readonly flags: Readonly<Record<string, Flag>>;
}

/** The page for the manifest that the build wrote. */
export function commandPage(manifest: string): string {
  const { commands } = JSON.parse(manifest) as { commands: Readonly<Record<string, Declaration>> };
  const sections = Object.values(commands)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(section);
  return `# Commands\n\nMade from the commands' own declarations by \`node tools/command-docs.ts\`.\n\n${sections.join('\n')}`;
}

function section({ id, summary, description, args, flags }: Declaration): string {
  const name = id.replaceAll(':', ' ');
  const usage = Object.values(args).map(argumentText);
  const lines = [
    `## ${name}`,
    '',
    `${summary ?? ''}.`,
    '',
    '```',
    `slipway ${[name, '[flags]', ...usage].join(' ')}`,
    '```',
    '',
  ];
  if (description !== undefined) lines.push(description, '');
  const rows = [...Object.values(args).map(argumentRow), ...Object.values(flags).map(flagRow)];
  if (rows.length > 0) lines.push('| | |', '|---|---|', ...rows, '');
  return lines.join('\n');
}

function argumentText({ name, required, multiple }: Argument): string {
  const text = `${name.toUpperCase()}${multiple === true ? '…' : ''}`;
  return required === true ? text : `[${text}]`;
}

function argumentRow(argument: Argument): string {
  return `| \`${argument.name.toUpperCase()}\` | ${cell(argument.description ?? '')} |`;
}

function flagRow(flag: Flag): string {
  const value =
    flag.type === 'boolean'
      ? ''
      : ` ${flag.helpValue ?? (flag.options === undefined ? 'VALUE' : flag.options.join('|'))}`;
  const short = flag.char === undefined ? '' : `-${flag.char}, `;
  const preset = typeof flag.default === 'string' ? ` (default \`${flag.default}\`)` : '';
  return `| \`${cell(`${short}--${flag.name}${value}`)}\` | ${cell(flag.description ?? '')}${preset} |`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

if (import.meta.main) {
  writeFileSync(
    join(root, 'docs', 'commands.md'),
    commandPage(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')),
  );
}
