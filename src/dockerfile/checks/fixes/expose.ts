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

/** Rewrites the ports that are meant and written without variables. */
function rewritten({ positions, instruction, part }: FixContext, rewrite: (port: string) => string): Fix | undefined {
  const { args, range } = instruction;
  const edits = args.flatMap((port, index) => {
    const text = rewrite(port);
    const isMeant = (part?.arg ?? index) === index && (part?.text ?? port) === port;
    if (!isMeant || port.includes('$') || text === port) return [];
    return [{ ...positions.find(range, { arg: index }).span, text }];
  });
  return edits.length === 0 ? undefined : { title: `write ${edits.map(({ text }) => text).join(' ')}`, edits };
}
