import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { configFolder, readConfigText } from './config-file.ts';
import { type ConfigEnvironment, userConfigFolder } from './environment.ts';
import { misconfigured } from './place.ts';
import {
  emptyRegistriesConf,
  mergeRegistriesConf,
  parseRegistriesConf,
  type RegistriesConf,
} from './registries-conf.ts';

/**
 * The registries.conf that holds for this user, with its drop-ins (containers-registries.conf.d(5)): the file that
 * CONTAINERS_REGISTRIES_CONF names, else the user's own, else the machine's. Beside the user's own file only the user's
 * drop-ins count; else the machine's come first and the user's over them.
 * @throws RegistryError CONFIG
 */
export function readRegistriesConf(environment: ConfigEnvironment): RegistriesConf {
  const { main, folders } = registriesConfPaths(environment);
  const file = readConfigText(main.path);
  if (file === undefined && main.isNamed) {
    throw misconfigured({ source: main.path }, 'is not there, and CONTAINERS_REGISTRIES_CONF names it');
  }
  let conf = emptyRegistriesConf;
  if (file !== undefined) conf = mergeRegistriesConf(conf, parseRegistriesConf(file));
  for (const path of folders.flatMap((folder) => configFolder(folder, '.conf'))) {
    const dropIn = readConfigText(path);
    if (dropIn !== undefined) conf = mergeRegistriesConf(conf, parseRegistriesConf(dropIn, 'drop-in'));
  }
  return conf;
}

interface Paths {
  readonly main: { readonly path: string; readonly isNamed: boolean };
  readonly folders: readonly string[];
}

function registriesConfPaths(environment: ConfigEnvironment): Paths {
  const named = environment.variables.CONTAINERS_REGISTRIES_CONF;
  const user = join(userConfigFolder(environment), 'containers');
  const machine = join(environment.etc, 'containers');
  const own = join(user, 'registries.conf');
  if (!named && existsSync(own)) {
    return { main: { path: own, isNamed: false }, folders: [join(user, 'registries.conf.d')] };
  }
  return {
    main: { path: named || join(machine, 'registries.conf'), isNamed: Boolean(named) },
    folders: [join(machine, 'registries.conf.d'), join(user, 'registries.conf.d')],
  };
}
