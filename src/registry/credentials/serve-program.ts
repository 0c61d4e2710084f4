import { RegistryError } from '../error.ts';
import { serverHost } from '../host.ts';
import { entriesOf } from './auth-file.ts';
import { type Credential, guarded } from './credential.ts';
import type { CredentialBook } from './credential-book.ts';
import { ownKeeper } from './own-keeper.ts';
import { namedSecret, notFound } from './program-protocol.ts';
import type { CredentialEnvironment } from './sources.ts';

/** What a program writes, and its exit status. */
export interface ProgramReply {
  readonly text: string;
  readonly exitCode: 0 | 1;
}

export interface ServeProgramOptions {
  readonly book: CredentialBook;
  readonly environment?: CredentialEnvironment | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Answers as a credential program of docker (docker-credential-helpers, "Development"): `get` gives any credential that we
 * would use ourselves, also those that a service makes; `store`, `erase` and `list` are about those that were stored here.
 * @throws RegistryError CREDENTIALS for a request that cannot be understood
 */
export async function serveProgram(verb: string, input: string, options: ServeProgramOptions): Promise<ProgramReply> {
  const keeper = ownKeeper(options.environment);
  switch (verb) {
    case 'get': {
      const server = input.trim();
      const query = { host: serverHost(server), repository: '', purpose: 'push' } as const;
      const found = await options.book.find(query, { signal: options.signal });
      return programReply(server, found?.credential);
    }
    case 'store': {
      const { server, credential } = parseStored(input);
      await keeper.store(serverHost(server), guarded(credential));
      return done;
    }
    case 'erase':
      await keeper.erase(serverHost(input.trim()));
      return done;
    case 'list':
      return { text: JSON.stringify(await keeper.list()), exitCode: 0 };
    default:
      throw new RegistryError('CREDENTIALS', `a credential program knows get, store, erase and list, not ${verb}`);
  }
}

const done: ProgramReply = { text: '', exitCode: 0 };

/** The answer to `get`. A token of one registry alone has no form that docker understands. */
export function programReply(server: string, credential: Credential | undefined): ProgramReply {
  if (credential === undefined || credential.kind === 'registry-token') return { text: notFound, exitCode: 1 };
  return { text: JSON.stringify({ ServerURL: server, ...namedSecret(credential) }), exitCode: 0 };
}

function parseStored(input: string): { readonly server: string; readonly credential: Credential } {
  let fields: Map<string, unknown>;
  try {
    fields = new Map(entriesOf(JSON.parse(input)));
  } catch {
    // not as the cause: JSON's message quotes the text
    throw new RegistryError('CREDENTIALS', 'store wants JSON with ServerURL, Username and Secret');
  }
  const [server, username, secret] = ['ServerURL', 'Username', 'Secret'].map((name) => fields.get(name));
  if (typeof server !== 'string' || typeof username !== 'string' || typeof secret !== 'string' || server === '') {
    throw new RegistryError('CREDENTIALS', 'store wants JSON with ServerURL, Username and Secret');
  }
  if (username === '<token>') return { server, credential: { kind: 'identity-token', token: secret } };
  return { server, credential: { kind: 'basic', username, password: secret } };
}
