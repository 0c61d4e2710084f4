import { endianness } from 'node:os';
import { OciError } from './error.ts';
import { compact, type JsonObject, type Members } from './json.ts';

/** An operating system and processor, in the words of Go (image-spec, image-index.md "platform"). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly osVersion?: string;
  readonly osFeatures?: readonly string[];
}

const knownSystems = new Set(
  'aix android darwin dragonfly freebsd illumos ios js linux netbsd openbsd plan9 solaris wasip1 windows zos'.split(
    ' ',
  ),
);
const knownArchitectures = new Set(
  '386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x wasm'.split(' '),
);

/**
 * Reads `linux/arm64/v8`, `windows(10.0.17763)/amd64`, or one word alone (`arm64`, `linux`), whose other half is then
 * linux or this machine's; the result is normal.
 * @throws OciError INVALID_PLATFORM
 */
export function parsePlatform(text: string): Platform {
  const match = /^(\w[\w.-]{0,63})(?:\((\w[\w.-]{0,63})\))?(?:\/(\w[\w.-]{0,63}))?(?:\/(\w[\w.-]{0,63}))?$/.exec(text);
  if (match?.[1] === undefined) {
    throw new OciError('INVALID_PLATFORM', `not a platform: ${JSON.stringify(text.slice(0, 160))}`, {
      hint: 'a platform reads os/architecture[/variant], such as linux/arm64/v8',
    });
  }
  const [, first, osVersion, architecture, variant] = match;
  if (architecture !== undefined) {
    return normalizePlatform(compact<Platform>({ os: first, architecture, variant, osVersion }));
  }
  return parseOneWord(first, osVersion);
}

function parseOneWord(word: string, osVersion: string | undefined): Platform {
  const os = normalizeSystem(word);
  if (knownSystems.has(os)) return compact<Platform>({ ...hostPlatform(), os, osVersion });
  const platform = normalizePlatform({ os: 'linux', architecture: word });
  if (osVersion === undefined && knownArchitectures.has(platform.architecture)) return platform;
  throw new OciError('INVALID_PLATFORM', `${JSON.stringify(word)} is neither an operating system nor a processor`, {
    hint: 'a platform reads os/architecture[/variant], such as linux/arm64/v8',
  });
}

/** `os[(version)]/architecture[/variant]`. */
export function formatPlatform(platform: Platform): string {
  const os = platform.osVersion ? `${platform.os}(${platform.osVersion})` : platform.os;
  return [os, platform.architecture, ...(platform.variant ? [platform.variant] : [])].join('/');
}

/** One spelling per platform, as containerd has it: `linux/aarch64/v8` is `linux/arm64`, `armhf` is `arm/v7`. */
export function normalizePlatform(platform: Platform): Platform {
  const { variant: _, ...rest } = platform;
  const processor = normalizeProcessor(platform.architecture.toLowerCase(), platform.variant?.toLowerCase() ?? '');
  return {
    ...rest,
    os: normalizeSystem(platform.os),
    architecture: processor.architecture,
    ...(processor.variant === '' ? {} : { variant: processor.variant }),
  };
}

function normalizeSystem(os: string): string {
  const lower = os.toLowerCase();
  return lower === 'macos' ? 'darwin' : lower;
}

interface Processor {
  readonly architecture: string;
  readonly variant: string;
}

function normalizeProcessor(architecture: string, variant: string): Processor {
  switch (architecture) {
    case 'i386':
      return { architecture: '386', variant: '' };
    case 'x86_64':
    case 'x86-64':
    case 'amd64':
      return { architecture: 'amd64', variant: variant === 'v1' ? '' : variant };
    case 'aarch64':
    case 'arm64':
      return { architecture: 'arm64', variant: normalizeArm64Variant(variant) };
    case 'armhf':
      return { architecture: 'arm', variant: 'v7' };
    case 'armel':
      return { architecture: 'arm', variant: 'v6' };
    case 'arm':
      return { architecture, variant: variant === '' ? 'v7' : /^\d+$/.test(variant) ? `v${variant}` : variant };
    default:
      return { architecture, variant };
  }
}

function normalizeArm64Variant(variant: string): string {
  if (['8', 'v8', '8.0', 'v8.0'].includes(variant)) return '';
  return ['9', '9.0', 'v9.0'].includes(variant) ? 'v9' : variant;
}

/** The platform of this machine, as images for it call it. */
export function hostPlatform(): Platform {
  return { os: process.platform === 'win32' ? 'windows' : process.platform, ...hostProcessor() };
}

function hostProcessor(): { architecture: string; variant?: string } {
  const big = endianness() === 'BE';
  const arch: string = process.arch;
  switch (arch) {
    case 'x64':
      return { architecture: 'amd64' };
    case 'ia32':
      return { architecture: '386' };
    case 'arm':
      return { architecture: 'arm', variant: armVersion() };
    case 'ppc64':
      return { architecture: big ? 'ppc64' : 'ppc64le' };
    case 'mipsel':
      return { architecture: 'mipsle' };
    default:
      return { architecture: arch };
  }
}

/** Node was built for one ARM version, so that one runs here. */
function armVersion(): string {
  const variables: Readonly<Record<string, unknown>> = process.config.variables;
  return `v${typeof variables['arm_version'] === 'string' ? variables['arm_version'] : '7'}`;
}

/** From JSON members `os`, `architecture`, `variant`, `os.version`, `os.features`; not normalised, images keep their spelling. */
export function platformFromJson(members: Members): Platform {
  return compact<Platform>({
    os: members.requiredString('os'),
    architecture: members.requiredString('architecture'),
    variant: members.string('variant') || undefined,
    osVersion: members.string('os.version') || undefined,
    osFeatures: members.strings('os.features'),
  });
}

/** The JSON members, in the order of the specification's Go types. */
export function platformToJson(platform: Platform): JsonObject {
  return compact<JsonObject>({
    architecture: platform.architecture,
    os: platform.os,
    'os.version': platform.osVersion,
    'os.features': platform.osFeatures,
    variant: platform.variant,
  });
}
