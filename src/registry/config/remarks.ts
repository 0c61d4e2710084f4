import { formatName, parseReference } from '../../oci/index.ts';
import type { HostsToml } from './hosts-toml.ts';
import { showPlace } from './place.ts';
import type { RegistriesConf } from './registries-conf.ts';

/** What stands in the files and is not followed, one sentence each. */
export function unknownSettings(files: readonly (RegistriesConf | HostsToml | undefined)[]): readonly string[] {
  return files
    .flatMap((file) => file?.unknown ?? [])
    .map(({ key, place }) => `${showPlace(place)}: ${key} is no setting that we know, and is passed over`);
}

/**
 * Where podman would take a short name for something else than we do: here it is docker.io's, on every machine.
 * @param text what the user typed
 */
export function shortNameRemarks(conf: RegistriesConf, text: string): readonly string[] {
  const [typed = ''] = text.split(/[:@]/, 1);
  const ours = formatName(parseReference(typed, { keepUntagged: true }));
  if (!isShort(typed)) return [];
  const alias = conf.aliases.get(typed);
  if (alias !== undefined) {
    if (alias.value === ours) return [];
    return [`${typed} is ${ours} here; podman makes it ${alias.value} (${showPlace(alias.place)})`];
  }
  const search = conf.searchRegistries;
  if (search === undefined || search.values.length === 0 || search.values[0] === 'docker.io') return [];
  return [`${typed} is ${ours} here; podman looks in ${search.values.join(', ')} (${showPlace(search.place)})`];
}

function isShort(name: string): boolean {
  const first = name.split('/', 1)[0] ?? '';
  return !name.includes('/') || !(/[.:]/.test(first) || first === 'localhost');
}
