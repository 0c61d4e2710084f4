import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe } from '@jest/globals';

/** Programs that tools/fetch-newer-peers.sh brings. */
export type NewerPeer = 'crane' | 'oras' | 'docker-credential-ecr-login';

const folder = join(dirname(import.meta.dirname), '.cache/newer-peers/root/usr/bin');

/** Where a program is, whether or not it was fetched. */
export function newerPeer(name: NewerPeer): string {
  return join(folder, name);
}

/** As `describe`, and skipped with a word where a program was not fetched. */
export function describeWithNewer(peers: readonly NewerPeer[], title: string, tests: () => void): void {
  const missing = peers.filter((name) => !existsSync(newerPeer(name)));
  if (missing.length === 0) describe(title, tests);
  else describe.skip(`${title} (needs ${missing.join(', ')}: make test-deps)`, tests);
}
