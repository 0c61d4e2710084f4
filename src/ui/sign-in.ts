import { messageOf } from '../errors.ts';
import type { Credential, DeviceLogin, Registries, RegistryError } from '../registry/index.ts';
import { UiError } from './error.ts';
import { ask, askPassword } from './prompt.ts';
import { readStandardInput } from './read-standard-input.ts';

/** Passwords longer than this are no passwords; bytes. */
const maxPassword = 1 << 20;

/** What a command line says of who logs in. */
export interface SignInRequest {
  readonly host: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

export interface SignInOptions {
  readonly registries: Registries;
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
  readonly terminal: boolean;
  /** False where only a user name and a password will do (docker's DOCKER_CLI_DISABLE_OAUTH_LOGIN). */
  readonly browser: boolean;
}

/** A credential that the registry took, and whether it is new. */
export interface SignedIn {
  readonly credential: Credential;
  readonly isNew: boolean;
}

/** The password of `--password`, or from standard input without its line's end. */
export async function givenPassword(flags: {
  readonly password?: string | undefined;
  readonly 'password-stdin': boolean;
}): Promise<string | undefined> {
  if (!flags['password-stdin']) return flags.password;
  return (await readStandardInput(maxPassword)).toString('utf8').replace(/\r?\n$/, '');
}

/**
 * Logs in to a registry: with what is given, else with what is known, else in the browser (Docker Hub), else with what a
 * person types. The registry has taken what it resolves to.
 * @throws RegistryError UNAUTHORIZED; UiError
 */
export async function signIn(request: SignInRequest, options: SignInOptions): Promise<SignedIn> {
  const { host } = request;
  const { registries, signal } = options;
  if (request.username === undefined && request.password === undefined) {
    const known = await withKnown(host, options);
    if (known !== undefined) return { credential: known, isNew: false };
    const browser = options.browser && options.terminal && host === 'docker.io' ? await inBrowser(options) : undefined;
    if (browser !== undefined)
      return { credential: await registries.checkLogin(host, browser, { signal }), isNew: true };
  }
  const username = request.username ?? (await ask('Username: ', { signal }));
  const password = request.password ?? (await askPassword('Password: ', { signal }));
  if (username === '' || password === '')
    throw new UiError('NO_CREDENTIAL', 'username and password must not be empty', { exitCode: 1 });
  const credential = { kind: 'basic', username, password } as const;
  return { credential: await registries.checkLogin(host, credential, { signal }), isNew: true };
}

async function withKnown(host: string, options: SignInOptions): Promise<Credential | undefined> {
  const { registries, signal, note } = options;
  const found = await registries.credentials.find({ host, repository: '', purpose: 'pull' }, { warn: note, signal });
  if (found === undefined) return undefined;
  const { userOf } = await import('../registry/index.ts');
  const user = userOf(found.credential);
  note(`Authenticating with existing credentials${user === undefined ? '' : ` of ${user}`} (${found.place})`);
  note('To log in with a different account, log out first, or name the user.');
  try {
    await registries.checkLogin(host, found.credential, { signal });
    return found.credential;
  } catch (error) {
    if ((error as RegistryError).code !== 'UNAUTHORIZED') throw error;
    note('Stored credentials invalid or expired');
    return undefined;
  }
}

async function inBrowser({ registries, note, signal }: SignInOptions): Promise<Credential | undefined> {
  let login: DeviceLogin;
  try {
    login = await registries.beginDeviceLogin({ signal });
  } catch (error) {
    signal.throwIfAborted();
    note(`Failed to start web-based login (${messageOf(error)}); asking for a user name instead`);
    return undefined;
  }
  note('USING WEB-BASED LOGIN');
  note('To sign in with a user name and an access token, use --username\n');
  note(`Your one-time device confirmation code is: ${login.userCode}`);
  note(`Open this address and confirm the code: ${login.url}\n`);
  note('Waiting for authentication in the browser…');
  return login.finish();
}
