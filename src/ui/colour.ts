import { styleText } from 'node:util';

export type Style = Parameters<typeof styleText>[0];

/** Text in a style where `stream` shows colours. */
export function paint(style: Style, text: string, stream: NodeJS.WritableStream): string {
  return usesColour(stream) ? styleText(style, text, { validateStream: false }) : text;
}

/**
 * Whether to write colours: to a terminal, unless the environment says otherwise: FORCE_COLOR or CLICOLOR_FORCE for them
 * anywhere, NO_COLOR (no-color.org), CLICOLOR=0 or TERM=dumb against them.
 */
export function usesColour(
  stream: NodeJS.WritableStream & { readonly isTTY?: boolean },
  env: NodeJS.ProcessEnv = process.env,
): boolean {
  const forced = env['FORCE_COLOR'] ?? (env['CLICOLOR_FORCE'] || undefined);
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if (env['NO_COLOR'] || env['NODE_DISABLE_COLORS'] || env['CLICOLOR'] === '0' || env['TERM'] === 'dumb') return false;
  return stream.isTTY === true;
}
