import { canonicalHost } from '../host.ts';
import { type Auths, editAuths, entryOf, fileKey, without } from './auth-edits.ts';
import { parseAuthFile } from './auth-file.ts';
import { userOf } from './credential.ts';
import { bestKey } from './host-match.ts';
import type { CredentialProgram } from './program-protocol.ts';
import { type CredentialEnvironment, containersPath, processEnvironment, readCredentialFile } from './sources.ts';

/** As docker's configuration names us: `docker-credential-slipway`. */
export const ownSuffix = 'slipway';

/** A keeper that can also tell what it has. */
export interface CredentialKeeper extends CredentialProgram {
  /** Server to user name; `<token>` where there is only a token. */
  list(): Promise<Readonly<Record<string, string>>>;
}

/**
 * Keeps credentials for docker and others who use us as their credential program: in containers' auth.json, where podman,
 * skopeo and we look too.
 */
export function ownKeeper(environment: CredentialEnvironment = processEnvironment()): CredentialKeeper {
  const path = containersPath(environment);
  const kept = async () => parseAuthFile((await readCredentialFile(path)) ?? '{}', path).auths;
  const edit = (change: (auths: Auths) => Auths) => editAuths(path, change);
  return {
    async get(host) {
      const auths = await kept();
      const key = bestKey([...auths.keys()], host, '');
      return key === undefined ? undefined : auths.get(key);
    },
    store: (host, credential) => edit((auths) => ({ ...without(auths, host), [fileKey(host)]: entryOf(credential) })),
    async erase(host) {
      const auths = await kept();
      if (bestKey([...auths.keys()], canonicalHost(host), '') !== undefined) await edit((all) => without(all, host));
    },
    async list() {
      return Object.fromEntries([...(await kept())].map(([key, credential]) => [key, userOf(credential) ?? '<token>']));
    },
  };
}
