import { isSecretName } from '../../dockerfile/index.ts';
import { formatPlatform } from '../../oci/index.ts';
import { shownUrl } from '../contexts/http/shown-url.ts';
import type { BuildRequest } from '../request.ts';
import type { RequestSummary } from './record.ts';

const masked = '***';

/** What of a request may be kept: no value that is called like a secret, no password of a URL. */
export function summariseRequest(request: BuildRequest): RequestSummary {
  const platforms = request.platforms ?? (request.platform === undefined ? [] : [request.platform]);
  return {
    context: contextOf(request.context),
    dockerfile: request.dockerfile,
    target: request.target,
    platforms: platforms.map(formatPlatform),
    tags: request.tags,
    buildArgs: mapped(request.buildArgs, (name, value) => (isSecretName(name) ? masked : withoutPassword(value))),
    contexts: mapped(request.contexts, (_, value) => contextOf(value)),
    outputs: request.outputs.map(({ type }) => type),
    noCache: request.noCache,
    pull: request.pull,
    push: request.push,
  };
}

/** The query of a download may be what lets one in; that of a repository says what of it is meant. */
function contextOf(text: string): string {
  const isDownload = /^https?:\/\//.test(text) && !/\.git(?:[?#]|$)/.test(text);
  return isDownload ? shownUrl(text) : withoutPassword(text);
}

/** `https://user:token@host/` as `https://***@host/`. */
function withoutPassword(text: string): string {
  return text.replace(/(\w:\/\/)[^/@\s]+@/g, `$1${masked}@`);
}

function mapped(
  values: Readonly<Record<string, string>>,
  change: (name: string, value: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(name, value)]));
}
