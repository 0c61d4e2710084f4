import { type Place, slipway } from '../places/index.ts';
import { type Builder, words } from './builder.ts';

/** Ours, with a store of its own. */
export function slipwayBuilder(place: Place): Builder {
  const env = { ...place.store('builder'), TMPDIR: place.folder };
  return {
    name: 'slipway',
    role: 'ours',
    env,
    build: ({ context, base, name, push = false, noCache = false }) =>
      slipway(
        ...words('build -q --network host'),
        '--build-arg',
        `BASE=${base}`,
        '-t',
        name,
        ...(push ? ['--push'] : []),
        ...(noCache ? ['--no-cache'] : []),
        context,
      ),
    push: (image) => slipway('push', '-q', image),
    pull: (image) => slipway('pull', '-q', image),
    forget: () => place.clear('builder'),
  };
}
