import { homedir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store, type StoreOptions } from '../store/index.ts';
import type { Registries } from '../registry/index.ts';
import type { Privileges } from '../system/index.ts';
import { openLayerSource } from './cache/layer-source.ts';
import { reapLane } from './workshop/lane.ts';
import type { OpenRegistryRepository } from './images/image-place.ts';
import type { OpenRepository } from './images/resolve.ts';

/** Which of this machine's stores, and how. */
export interface LocalStoreOptions {
  readonly privileges: Privileges;
  /** `storeRoot` unless given. */
  readonly root?: string | undefined;
  readonly readOnly?: boolean | undefined;
  /** Opens the repositories of layers that are not here; `openRegistry` unless given. */
  readonly open?: OpenRepository | undefined;
}

/** Where the store is (DESIGN "Data on disk"). */
export function storeRoot(privileges: Privileges, env: NodeJS.ProcessEnv = process.env): string {
  if (env['SLIPWAY_ROOT']) return env['SLIPWAY_ROOT'];
  if (privileges.realUid === 0) return '/var/lib/slipway';
  return join(env['XDG_DATA_HOME'] || join(env['HOME'] || homedir(), '.local/share'), 'slipway');
}

/** Opens this machine's store, with the registry client for layers that are not here and the runtime for what died. */
export async function openLocalStore(options: LocalStoreOptions): Promise<Store> {
  const snapshotter = process.env['SLIPWAY_SNAPSHOTTER'];
  const settings: StoreOptions = {
    root: options.root ?? storeRoot(options.privileges),
    privileges: options.privileges,
    readOnly: options.readOnly ?? false,
    snapshotter: snapshotter === 'overlay' || snapshotter === 'copy' ? snapshotter : 'auto',
    fetchRemote: async (descriptor, sources, callOptions) => {
      let failure: unknown;
      for (const source of sources) {
        try {
          return await (await openLayerSource(source, options.open ?? openRegistry)).fetch(descriptor, callOptions);
        } catch (error) {
          failure = error;
        }
      }
      throw failure;
    },
    reapContainer: reapLane,
  };
  return openStore(settings);
}

let registries: Promise<Registries> | undefined;

/** Opens the repository of an image name with all settings at their defaults; the client is loaded only then. */
export const openRegistry: OpenRegistryRepository = async (name, access = 'pull') => {
  registries ??= import('../registry/index.ts').then((registry) => new registry.Registries());
  return (await registries).open(name, access);
};
