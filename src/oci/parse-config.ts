import { type Digest, isDigest } from './digest.ts';
import type { Healthcheck, HistoryItem, ImageConfig, RunConfig } from './image-config.ts';
import { compact, Members, parseJsonObject } from './json.ts';
import { platformFromJson } from './platform.ts';

const code = 'INVALID_CONFIG';

const topMembers = new Set(
  'created author architecture os os.version os.features variant config rootfs history'.split(' '),
);
const runMembers = new Set(
  'User ExposedPorts Env Entrypoint Cmd ArgsEscaped Volumes WorkingDir Labels StopSignal Shell OnBuild Healthcheck'.split(
    ' ',
  ),
);

/**
 * Parses the configuration of an image, OCI or docker, from bytes that may be hostile. `null` members are absent; what
 * we do not know is kept in `extra`. History and layers may disagree in number, as they do in old images: see
 * `historyByLayer`.
 * @throws OciError INVALID_CONFIG, TOO_LARGE (8 MiB)
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const members = new Members(parseJsonObject(bytes, 'image config', code), '', code);
  const run = members.members('config');
  return compact<ImageConfig>({
    platform: platformFromJson(members),
    created: timeMember(members, 'created'),
    author: members.string('author'),
    config: run === undefined ? {} : readRunConfig(run),
    diffIds: readDiffIds(members),
    history: (members.list('history') ?? []).map(readHistoryItem),
    extra: members.others(topMembers),
  });
}

function readRunConfig(members: Members): RunConfig {
  const healthcheck = members.members('Healthcheck');
  return compact<RunConfig>({
    User: members.string('User'),
    ExposedPorts: members.nameSet('ExposedPorts'),
    Env: members.strings('Env'),
    Entrypoint: commandMember(members, 'Entrypoint'),
    Cmd: commandMember(members, 'Cmd'),
    ArgsEscaped: members.boolean('ArgsEscaped'),
    Volumes: members.nameSet('Volumes'),
    WorkingDir: members.string('WorkingDir'),
    Labels: members.stringMap('Labels'),
    StopSignal: members.string('StopSignal'),
    Shell: commandMember(members, 'Shell'),
    OnBuild: members.strings('OnBuild'),
    Healthcheck: healthcheck && readHealthcheck(healthcheck),
    extra: members.others(runMembers),
  });
}

function readHealthcheck(members: Members): Healthcheck {
  return compact<Healthcheck>({
    Test: members.strings('Test'),
    Interval: members.integer('Interval'),
    Timeout: members.integer('Timeout'),
    StartPeriod: members.integer('StartPeriod'),
    StartInterval: members.integer('StartInterval'),
    Retries: members.integer('Retries'),
  });
}

function readHistoryItem(members: Members): HistoryItem {
  return compact<HistoryItem>({
    created: timeMember(members, 'created'),
    createdBy: members.string('created_by'),
    author: members.string('author'),
    comment: members.string('comment'),
    emptyLayer: members.boolean('empty_layer') || undefined,
  });
}

function readDiffIds(members: Members): readonly Digest[] {
  const rootfs = members.members('rootfs') ?? members.fail('rootfs', 'is missing');
  if (rootfs.requiredString('type') !== 'layers') rootfs.fail('type', 'must be "layers"');
  return (rootfs.strings('diff_ids') ?? []).map((text, at) =>
    isDigest(text) ? text : rootfs.fail(`diff_ids[${at}]`, `is not a digest: ${JSON.stringify(text.slice(0, 160))}`),
  );
}

/** docker reads one string as a command of one word. */
function commandMember(members: Members, name: string): readonly string[] | undefined {
  const value = members.raw(name);
  return typeof value === 'string' ? [value] : members.strings(name);
}

const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,18})?(?:[Zz]|[+-]\d\d:\d\d)$/;

function timeMember(members: Members, name: string): string | undefined {
  const value = members.string(name);
  if (value === undefined || value === '' || rfc3339.test(value)) return value || undefined;
  return members.fail(name, 'is not a time in RFC 3339');
}
