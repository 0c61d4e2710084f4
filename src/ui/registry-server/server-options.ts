import { UsageError } from '../../errors.ts';
import type { Registries, RegistryServerOptions, RegistryStorage } from '../../registry/index.ts';
import { registryFlags, registrySettings, type RegistryValues } from '../registry-flags/registry.ts';
import { authFlags, type AuthValues, serverAuth } from './auth.ts';
import { hasOwnLogin, profileFlags, type ProfileValues, serverProfile } from './profile.ts';
import { proxyFlags, type ProxyValues, serverProxy } from './proxy.ts';
import { serverTls, tlsFlags, type TlsValues } from './tls.ts';

/** Who may use the embedded registry, how it is reached, and what it does beside keeping content. */
export const serviceFlags = { ...authFlags, ...tlsFlags, ...profileFlags, ...proxyFlags, ...registryFlags } as const;

export type ServiceValues = AuthValues & TlsValues & ProfileValues & ProxyValues & RegistryValues;

export interface Service extends AsyncDisposable {
  readonly options: RegistryServerOptions;
  readonly hasLogin: boolean;
}

export interface ServiceContext {
  readonly storage: RegistryStorage;
  readonly warn: (message: string) => void;
}

/** @throws UsageError, RegistryError CONFIG */
export async function openService(values: ServiceValues, { storage, warn }: ServiceContext): Promise<Service> {
  if (values.proxy !== undefined && values.profile !== undefined)
    throw new UsageError('--profile and --proxy do not go together');
  const clients: Registries[] = [];
  const registries = async (scheme: 'http' | 'https' | undefined): Promise<Registries> => {
    const registry = await import('../../registry/index.ts');
    const client = new registry.Registries({ ...registrySettings(values), scheme }, { warn });
    clients.push(client);
    return client;
  };
  const tls = await serverTls(values);
  const auth = hasOwnLogin(values) ? undefined : await serverAuth(values, warn);
  const profile = await serverProfile(values, { storage, warn });
  const through = await serverProxy(values, { storage, registries, warn });
  return {
    hasLogin: auth !== undefined || hasOwnLogin(values),
    options: {
      ...profile?.rules,
      ...through?.rules,
      storage: through?.storage ?? storage,
      tls,
      layers: [...(auth === undefined ? [] : [auth]), ...(profile?.layers ?? []), ...(through?.layers ?? [])],
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) await client[Symbol.asyncDispose]();
    },
  };
}
