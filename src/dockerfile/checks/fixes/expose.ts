import { isIP } from 'node:net';
import type { Fix } from '../finding.ts';
import type { FixContext } from './fix-context.ts';

/** `80/TCP` becomes `80/tcp`. */
export function fixExposeProtocol(context: FixContext): Fix | undefined {
  return rewritten(context, (port) => port.replace(/\/[A-Za-z]+$/, (protocol) => protocol.toLowerCase()));
}

/** `127.0.0.1:8080:80` becomes `80`: no image decides about its host. */
export function fixExposeFormat(context: FixContext): Fix | undefined {
  return rewritten(context, (port) => {
    const [container = '', host = ''] = port.split(':').toReversed();
    const address = port
      .split(':')
      .slice(0, -2)
      .join(':')
      .replace(/^\[(.*)\]$/, '$1');
    const isMapping = /^[\d-]*$/.test(host) && (address === '' || isIP(address) !== 0);
    return isMapping && /^\d+(?:-\d+)?(?:\/\w+)?$/.test(container) ? container : port;
  });
}

/** Places of one port in an instruction beyond which it is not mended: each of its findings would have them all. */
const maxPlaces = 100;

/** Rewrites the ports that are meant and written without variables. */
function rewritten({ facts, positions, instruction, part }: FixContext, rewrite: (port: string) => string) {
  const { args, range } = instruction;
  const meant = part?.text === undefined ? [...args.keys()] : facts.placesOf(instruction, part.text);
  const indexes = part?.arg === undefined ? meant : meant.filter((index) => index === part.arg);
  if (indexes.length > maxPlaces) return undefined;
  const edits = indexes.flatMap((index) => {
    const port = args[index] ?? '';
    const text = rewrite(port);
    if (port.includes('$') || text === port) return [];
    return [{ ...positions.find(range, { arg: index }).span, text }];
  });
  return edits.length === 0 ? undefined : { title: `write ${edits.map(({ text }) => text).join(' ')}`, edits };
}
