import { string } from '@oclif/core/flags';
import { UsageError } from '../../errors.ts';
import type { PullThrough, Registries, RegistryStorage } from '../../registry/index.ts';
import { parseDuration } from '../time.ts';

/** What the embedded registry passes on. */
export const proxyFlags = {
  proxy: string({
    description: 'Be a cache of another registry: have what it has, and take nothing',
    helpValue: 'URL',
  }),
  'proxy-tag-life': string({
    description: 'How long it is believed where a tag points; 1m unless given',
    dependsOn: ['proxy'],
    helpValue: 'DURATION',
  }),
} as const;

export interface ProxyValues {
  readonly proxy?: string | undefined;
  readonly 'proxy-tag-life'?: string | undefined;
}

export interface ProxyContext {
  readonly storage: RegistryStorage;
  /** The client, by which the user's own credentials for the upstream are found. */
  readonly registries: (scheme: 'http' | 'https' | undefined) => Promise<Registries>;
  readonly warn: (message: string) => void;
}

/** Undefined where nothing is to be passed on. @throws UsageError */
export async function serverProxy(values: ProxyValues, context: ProxyContext): Promise<PullThrough | undefined> {
  if (values.proxy === undefined) return undefined;
  const { openPullThrough, serverHost } = await import('../../registry/index.ts');
  const { scheme, server, prefix } = parseUpstream(values.proxy);
  const host = serverHost(server);
  const registries = await context.registries(scheme);
  const life = values['proxy-tag-life'];
  return openPullThrough({
    local: context.storage,
    host,
    // A name without a slash is one of Docker Hub's own, as everywhere.
    open: (name) => registries.open(`${host}/${prefix}${name}`, 'pull'),
    tagLife: life === undefined ? undefined : parseDuration(life),
    onError: context.warn,
  });
}

interface UpstreamUrl {
  readonly scheme: 'http' | 'https' | undefined;
  readonly server: string;
  /** Before each repository's name; ends with a slash where it is not empty. */
  readonly prefix: string;
}

function parseUpstream(text: string): UpstreamUrl {
  const match = /^(?:(https?):\/\/)?((?:[\w.-]+|\[[\da-fA-F:.]+\])(?::\d{1,5})?)(?:\/([\w./-]*))?$/.exec(text);
  if (match === null) {
    throw new UsageError(`invalid --proxy: '${text.replace(/\/\/[^@/]*@/, '//***@')}'`, {
      hint: 'It is a registry such as https://registry-1.docker.io; credentials are looked up as for pulls, never in the URL.',
    });
  }
  const [, scheme, server = '', path = ''] = match;
  const prefix = path.replace(/^v2\/?$/, '').replace(/\/*$/, '');
  return {
    scheme: scheme === 'http' || scheme === 'https' ? scheme : undefined,
    server,
    prefix: prefix === '' ? '' : `${prefix}/`,
  };
}
