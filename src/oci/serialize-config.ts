import type { Healthcheck, HistoryItem, ImageConfig, RunConfig } from './image-config.ts';
import { compact, type JsonObject, sortedMap, toJsonBytes } from './json.ts';
import { platformToJson } from './platform.ts';

/**
 * The bytes of an image's configuration: one form for one content, as BuildKit writes it (top members sorted, those of
 * `config` in the order of its Go types, no white space).
 */
export function serializeConfig(config: ImageConfig): Buffer {
  const document: JsonObject = compact<JsonObject>({
    ...config.extra,
    ...platformToJson(config.platform),
    author: config.author,
    config: runConfigToJson(config.config),
    created: config.created,
    history: config.history.length === 0 ? undefined : config.history.map(historyToJson),
    rootfs: { type: 'layers', diff_ids: config.diffIds },
  });
  return toJsonBytes(sortedMap(document));
}

/** The `config` member, as `docker inspect` shows it too. */
export function runConfigToJson(config: RunConfig): JsonObject {
  return compact<JsonObject>({
    User: config.User,
    ExposedPorts: config.ExposedPorts && nameSet(config.ExposedPorts),
    Env: config.Env,
    Entrypoint: config.Entrypoint,
    Cmd: config.Cmd,
    Volumes: config.Volumes && nameSet(config.Volumes),
    WorkingDir: config.WorkingDir,
    Labels: config.Labels && sortedMap(config.Labels),
    StopSignal: config.StopSignal,
    ArgsEscaped: config.ArgsEscaped,
    Healthcheck: config.Healthcheck && healthcheckToJson(config.Healthcheck),
    OnBuild: config.OnBuild,
    Shell: config.Shell,
    ...(config.extra && sortedMap(config.extra)),
  });
}

function healthcheckToJson(check: Healthcheck): JsonObject {
  return compact<JsonObject>({
    Test: check.Test,
    Interval: check.Interval,
    Timeout: check.Timeout,
    StartPeriod: check.StartPeriod,
    StartInterval: check.StartInterval,
    Retries: check.Retries,
  });
}

function historyToJson(item: HistoryItem): JsonObject {
  return compact<JsonObject>({
    created: item.created,
    created_by: item.createdBy,
    author: item.author,
    comment: item.comment,
    empty_layer: item.emptyLayer,
  });
}

function nameSet(names: readonly string[]): JsonObject {
  return sortedMap(Object.fromEntries(names.map((name) => [name, {}])));
}
