import type { Bench } from '../measure/index.ts';
import { run, slipway } from '../places/index.ts';
import { buildahBuilder } from './buildah.ts';
import type { Builder } from './builder.ts';
import { buildkitBuilder } from './buildkit.ts';
import { dockerBuilder } from './docker.ts';
import { slipwayBuilder } from './slipway.ts';

export type BuilderName = 'slipway' | 'buildah' | 'podman' | 'docker' | 'buildkit';

/** A registry with the base image in it, and the builders that there are. */
export interface Site {
  readonly builders: readonly Builder[];
  /** The base's name in the registry. */
  readonly base: string;
  /** A name in the registry. */
  readonly image: (name: string) => string;
  /** Takes all but the base from the registry. */
  readonly emptyRegistry: () => Promise<void>;
}

/** Builders that are not there are left out: `make bench-peers` brings the newest of Debian's. */
export async function openSite(
  { place, inputs, peers }: Bench,
  names: readonly BuilderName[] = ['slipway', 'buildah', 'docker', 'buildkit'],
): Promise<Site> {
  const registry = await inputs.registry(place);
  const base = `${registry.host}/debian:base`;
  // What tiny runs have in place of a Debian has no shell.
  const layout = inputs.scale === 'full' ? (await inputs.debian()).layout : await inputs.busybox(place);
  const pushBase = () => run(slipway('copy', '-q', `oci:${layout}`, `docker://${base}`));
  await pushBase();
  const { room } = peers;
  const makers: Readonly<Record<BuilderName, () => Promise<Builder> | Builder | undefined>> = {
    slipway: () => slipwayBuilder(place),
    buildah: () => buildahBuilder(place, peers, 'buildah'),
    podman: () => buildahBuilder(place, peers, 'podman'),
    docker: () => (room === undefined ? undefined : dockerBuilder(place, room)),
    buildkit: () => (room?.hasBuildkit === true ? buildkitBuilder(place, room) : undefined),
  };
  const builders: Builder[] = [];
  for (const name of names) {
    const builder = await makers[name]();
    if (builder !== undefined) builders.push(builder);
  }
  const image = (name: string) => `${registry.host}/${name}:latest`;
  const emptyRegistry = async () => {
    await registry.clear();
    await pushBase();
  };
  return { builders, base, image, emptyRegistry };
}
