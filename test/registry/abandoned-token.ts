/**
 * A request that is interrupted while its token is asked for, by a token server that then fails: run as a program of its own, whose end
 * tells of rejections that nobody handled.
 */
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { authenticate } from '../../src/registry/auth/authenticate.ts';

const interruption = new AbortController();
const registry = new URL('https://r.example.com/');
const send = authenticate({
  registry,
  credential: async () => {
    interruption.abort(new Error('interrupted'));
    return undefined;
  },
  tokenDispatch: async () => {
    await delay(20);
    throw new Error('the token server fails');
  },
})(async ({ url }) => ({
  status: 401,
  headers: { 'www-authenticate': 'Bearer realm="https://r.example.com/token"' },
  body: Readable.from([]),
  url,
}));
let said = '';
try {
  await send({ method: 'GET', url: registry, signal: interruption.signal });
} catch (error) {
  said = (error as Error).message;
}
await delay(100);
process.stdout.write(said);
