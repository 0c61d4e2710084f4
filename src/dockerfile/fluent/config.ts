import { quote } from '../quote.ts';
import { trim } from '../text.ts';
import { charactersOf, type DockerfileText } from './literal.ts';
import { expandable, instructionLine, invalid, word, wordsOrJson } from './quoting.ts';

/** ENV and LABEL, all pairs in one instruction: they see the variables from before it. */
export function pairsLine(keyword: 'ENV' | 'LABEL', values: Readonly<Record<string, DockerfileText>>): string {
  const pairs = Object.entries(values).map(([name, value]) => {
    if (name === '' || name.includes('=')) throw invalid(`no name for ${keyword}: ${quote(name)}`);
    return `${word(name)}=${word(value)}`;
  });
  return instructionLine(keyword, ...pairs);
}

/** ARG. Its name is taken as it is written, without quotes. */
export function argLine(name: string, value: DockerfileText | undefined): string {
  if (name === '' || /^--|[\s\u0085"'\\=]/.test(name)) throw invalid(`no name for ARG: ${quote(name)}`);
  return instructionLine('ARG', value === undefined ? name : `${name}=${word(value)}`);
}

/** An instruction with one value. */
export function textLine(keyword: 'STOPSIGNAL' | 'USER' | 'WORKDIR', value: DockerfileText): string {
  return instructionLine(keyword, word(value));
}

export function exposeLine(ports: readonly (number | string)[]): string {
  const words = ports.map(String);
  for (const port of words) {
    if (port === '' || /^--|[\s\u0085"'\\]/.test(port)) throw invalid(`no port: ${quote(port)}`);
  }
  if (words.length === 0) throw invalid('EXPOSE needs a port');
  return instructionLine('EXPOSE', ...words);
}

export function volumeLine(paths: readonly DockerfileText[]): string {
  if (paths.length === 0) throw invalid('VOLUME needs a path');
  const texts = paths.map((path) => {
    const characters = charactersOf(path);
    if (characters === '') throw invalid('VOLUME needs a path that is not empty');
    // Blanks at the ends are dropped unless they are quoted.
    return trim(characters) === characters ? expandable(path) : word(path);
  });
  return instructionLine('VOLUME', wordsOrJson(texts));
}
