import type { Comparison } from './harness.ts';
import { debianImage } from './debian.ts';
import { Place, run, slipway } from './place.ts';

/** A build of which nothing has changed, the Node web application on Debian. Bar: 250 ms. */
export async function rebuild(): Promise<Comparison> {
  const place = await Place.make();
  const { name, webApp } = await debianImage(place);
  const env = place.store();
  const build = (...more: string[]) =>
    slipway('build', '--progress', 'plain', '--build-arg', `BASE=${name}`, '-t', 'web-app', ...more, webApp);
  await run(build(), env);
  return {
    title: 'rebuild of an unchanged Node web application',
    reference: 'node -e 0',
    rounds: 20,
    contenders: [
      { name: 'slipway build, all from the cache', command: build(), env },
      { name: 'the same, asking the registry (--pull)', command: build('--pull'), env },
      { name: 'node -e 0', command: [process.execPath, '-e', '0'] },
    ],
    close: () => place.close(),
  };
}
