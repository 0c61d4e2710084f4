import { type ContainerSpec, type Isolation, runContainer } from '../../src/container/index.ts';
import { currentPrivileges } from '../../src/system/index.ts';

/** A process that runs one container, to be killed meanwhile: `build-to-kill.ts ISOLATION SPEC`. */
const [isolation, spec] = process.argv.slice(2);
await runContainer(JSON.parse(spec ?? '{}') as ContainerSpec, {
  privileges: currentPrivileges(),
  isolation: isolation as Isolation,
  onOutput: (_, chunk) => void process.stdout.write(chunk),
});
