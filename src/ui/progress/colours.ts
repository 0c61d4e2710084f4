import { styleText } from 'node:util';
import { type Style, usesColour } from '../colour.ts';
import { keepColours, stripControls } from '../escape.ts';
import type { ProgressStream } from './types.ts';

/** What of a build's progress has a colour of its own, in the words of BUILDKIT_COLORS. */
export type ColourRole = 'run' | 'cancel' | 'error' | 'warning';

export interface Palette {
  role(role: ColourRole, text: string): string;
  bold(text: string): string;
  dim(text: string): string;
  /** A line that a step wrote, with its own colours if any are shown; they end with it. */
  output(line: string): string;
}

const defaults: Readonly<Record<ColourRole, Paint>> = {
  run: named('blue'),
  cancel: named('yellow'),
  error: named('red'),
  warning: named('yellow'),
};

const names: Readonly<Record<string, Style>> = {
  black: 'black',
  blue: 'blue',
  cyan: 'cyan',
  green: 'green',
  magenta: 'magenta',
  red: 'red',
  white: 'white',
  yellow: 'yellow',
  'light-black': 'blackBright',
  'light-blue': 'blueBright',
  'light-cyan': 'cyanBright',
  'light-green': 'greenBright',
  'light-magenta': 'magentaBright',
  'light-red': 'redBright',
  'light-white': 'whiteBright',
  'light-yellow': 'yellowBright',
};

const colourless: Palette = {
  role: (_, text) => text,
  bold: (text) => text,
  dim: (text) => text,
  output: stripControls,
};

type Paint = (text: string) => string;

/**
 * The colours of a build's progress on a stream: none where it shows none (NO_COLOR and its like), else BuildKit's, changed by
 * `BUILDKIT_COLORS=run=green:error=255,80,0`.
 */
export function paletteFor(stream: ProgressStream, env: NodeJS.ProcessEnv = process.env): Palette {
  if (!usesColour(stream, env)) return colourless;
  const roles = { ...defaults, ...parseColours(env['BUILDKIT_COLORS'] ?? '') };
  return { role: (role, text) => roles[role](text), bold: named('bold'), dim: named('dim'), output: ownColours };
}

function ownColours(line: string): string {
  const kept = keepColours(line);
  return kept.includes('\u001b') ? `${kept}\u001b[0m` : kept;
}

/** What is not understood is left out: a build must not fail for its colours. */
function parseColours(text: string): Partial<Record<ColourRole, Paint>> {
  const result: Partial<Record<ColourRole, Paint>> = {};
  for (const field of text.split(':')) {
    const [role = '', value = ''] = field.split('=');
    const colour = colourOf(value.toLowerCase());
    if (isRole(role) && colour !== undefined) result[role] = colour;
  }
  return result;
}

function isRole(word: string): word is ColourRole {
  return Object.hasOwn(defaults, word);
}

function colourOf(value: string): Paint | undefined {
  const style = Object.hasOwn(names, value) ? names[value] : undefined;
  if (style !== undefined) return named(style);
  const parts = value.split(',').map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256));
  if (parts.length !== 3 || parts.some((part) => part > 255)) return undefined;
  return (text) => `\u001b[38;2;${parts.join(';')}m${text}\u001b[39m`;
}

function named(style: Style): Paint {
  return (text) => styleText(style, text, { validateStream: false });
}
