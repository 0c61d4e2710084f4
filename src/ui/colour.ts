import { styleText } from 'node:util';

export type Style = Parameters<typeof styleText>[0];

/** Text in a style where `stream` shows colours: a terminal, unless NO_COLOR or FORCE_COLOR says otherwise. */
export function paint(style: Style, text: string, stream: NodeJS.WritableStream): string {
  return styleText(style, text, { stream, validateStream: true });
}
