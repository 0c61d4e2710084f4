import { describe, expect, it } from '@jest/globals';
import { openForRemoval, removeManifest, removeTag } from '../../../src/build/index.ts';
import { Registries, RegistryError } from '../../../src/registry/index.ts';
import { embeddedRegistry } from '../../registry/embedded.ts';
import { pushImage } from '../../registry/made-images.ts';

describe('what is taken out of a registry', () => {
  it('is what the registry says, whatever a mirror says', async () => {
    await using upstream = await embeddedRegistry();
    await using behind = await embeddedRegistry();
    await using direct = new Registries({ credential: 'anonymous' });
    const [app, copy] = [
      await direct.open(`${upstream.host}/app`, 'push'),
      await direct.open(`${behind.host}/app`, 'push'),
    ];
    await pushImage(copy, 'next', { layers: ['stable'] });
    const stable = await pushImage(app, 'stable', { layers: ['stable'] });
    const next = await pushImage(app, 'next', { layers: ['next'] });
    await using mirrored = new Registries({
      credential: 'anonymous',
      mirrors: [`${upstream.host}/app=http://${behind.host}/app`],
    });
    const places = {
      open: (name: string, access?: 'pull' | 'push') => mirrored.open(name, access),
      openStore: () => Promise.reject(new RegistryError('CONFIG', 'no store is named')),
    };
    const name = `${upstream.host}/app:next`;
    expect((await (await mirrored.open(name)).resolve('next')).digest).toBe(stable.digest);
    await using place = await openForRemoval(name, places);
    expect(await removeManifest(place)).toBe(next.digest);
    expect((await app.resolve('stable')).digest).toBe(stable.digest);
    await expect(removeTag(place)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
