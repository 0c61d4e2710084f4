import type { RunMount, RunStep } from '../../dockerfile/index.ts';
import { BuildError } from '../error.ts';
import type { MountsRequest } from './request.ts';
import type { SecretSources } from './secrets.ts';
import type { AgentSource } from './ssh/agent.ts';
import { agentSource } from './ssh/request.ts';

/** Secrets and agents of one step, with their values: in memory, on their way to the thread that runs it. */
export interface Credentials {
  readonly files: readonly SecretFile[];
  /** `NAME=value` */
  readonly env: readonly string[];
  readonly agents: readonly AgentMount[];
}

interface Placed {
  readonly target: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

export interface SecretFile extends Placed {
  readonly value: Uint8Array;
}

export interface AgentMount extends Placed {
  readonly source: AgentSource;
}

export interface CredentialsOptions {
  readonly secrets: SecretSources;
  readonly request: MountsRequest | undefined;
  readonly environment: NodeJS.ProcessEnv;
}

type CredentialMount = RunMount & { readonly type: 'secret' | 'ssh' };

/**
 * Gets what the secret and ssh mounts of a step are to show.
 * @throws BuildError SECRET_UNAVAILABLE for what is required and was not given, or cannot be had
 */
export async function credentialsOf(step: RunStep, options: CredentialsOptions): Promise<Credentials> {
  const files: SecretFile[] = [];
  const env: string[] = [];
  const agents: AgentMount[] = [];
  for (const mount of step.mounts) {
    if (mount.type === 'secret') await addSecret(mount, options.secrets, { files, env });
    if (mount.type === 'ssh') await addAgent(mount, options, agents);
  }
  return { files, env: [...env, ...socketVariable(step, agents)], agents };
}

async function addSecret(
  mount: CredentialMount,
  secrets: SecretSources,
  { files, env }: { readonly files: SecretFile[]; readonly env: string[] },
): Promise<void> {
  const value = await secrets.get(mount.id);
  if (value === undefined) {
    if (mount.required) throw missing(`secret ${mount.id}: not found`, `give it: --secret id=${mount.id},src=FILE`);
    return;
  }
  if (mount.env !== undefined) {
    if (value.includes(0)) {
      throw missing(`secret ${mount.id}: it has a NUL byte, so that it cannot be a variable`, 'mount it as a file');
    }
    env.push(`${mount.env}=${value.toString()}`);
  }
  if (mount.target !== undefined) files.push({ ...placed(mount, mount.target, 0o400), value });
}

async function addAgent(mount: CredentialMount, options: CredentialsOptions, agents: AgentMount[]): Promise<void> {
  const source = await agentSource(mount.id, options.request?.ssh ?? [], options.environment);
  if (source !== undefined) {
    const target = mount.target ?? `/run/buildkit/ssh_agent.${agents.length}`;
    agents.push({ ...placed(mount, target, 0o600), source });
  } else if (mount.required) {
    throw missing(`no SSH key "${mount.id}" forwarded from the client`, `give it: --ssh ${mount.id}`);
  }
}

function placed(mount: CredentialMount, target: string, mode: number): Placed {
  return { target, uid: mount.uid ?? 0, gid: mount.gid ?? 0, mode: mount.mode ?? mode };
}

/** Programs find the first agent by it, unless the image says otherwise. */
function socketVariable(step: RunStep, [first]: readonly AgentMount[]): readonly string[] {
  const isSet = step.env.some((entry) => entry.startsWith('SSH_AUTH_SOCK='));
  return first === undefined || isSet ? [] : [`SSH_AUTH_SOCK=${first.target}`];
}

function missing(message: string, hint: string): BuildError {
  return new BuildError('SECRET_UNAVAILABLE', message, { hint });
}
