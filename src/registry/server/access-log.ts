import type { ServedRequest } from './layers/hear-requests.ts';

export type AccessLogFormat = 'common' | 'json';

/** A request as a line of an access log: the combined format of web servers, or one JSON object. */
export function accessLogLine(served: ServedRequest, format: AccessLogFormat): string {
  return format === 'json' ? jsonLine(served) : commonLine(served);
}

function commonLine(served: ServedRequest): string {
  const { remoteAddress, user, start, method, httpVersion, status, bytesOut, userAgent } = served;
  const request = `${method} ${shownUrl(served)} HTTP/${httpVersion}`;
  const fields = [remoteAddress || '-', '-', user === undefined ? '-' : quotable(user), `[${clfDate(start)}]`];
  const agent = userAgent === '' ? '-' : quotable(userAgent);
  return [...fields, `"${quotable(request)}"`, status, bytesOut, '"-"', `"${agent}"`].join(' ');
}

function jsonLine(served: ServedRequest): string {
  const { start, milliseconds, remoteAddress, user, userAgent, repository, ...rest } = served;
  return JSON.stringify({
    time: start.toISOString(),
    remote: remoteAddress,
    user,
    method: rest.method,
    url: shownUrl(served),
    route: rest.route,
    repository: repository === '' ? undefined : repository,
    status: rest.status,
    aborted: rest.aborted ? true : undefined,
    milliseconds: Math.round(milliseconds * 1000) / 1000,
    bytesIn: rest.bytesIn,
    bytesOut: rest.bytesOut,
    userAgent: userAgent === '' ? undefined : userAgent,
  });
}

/** Parameters that tell what was asked for and hold no secret. */
const shownParameters = new Set([
  'digest',
  'digest-algorithm',
  'mount',
  'from',
  'tag',
  'n',
  'last',
  'artifactType',
  'ns',
]);
const longestUrl = 2048;

/** Of other parameters only their names; of an upload, which whoever knows its id can go on with, eight digits. */
function shownUrl({ url }: ServedRequest): string {
  const mark = url.indexOf('?');
  const path = (mark < 0 ? url : url.slice(0, mark)).replace(/(\/blobs\/uploads\/[^/]{8})[^/]+$/, '$1…');
  const parameters = mark < 0 ? [] : url.slice(mark + 1).split('&');
  const shown = parameters.map((parameter) => {
    const name = parameter.split('=', 1)[0] ?? '';
    return shownParameters.has(name) ? parameter : `${name}=…`;
  });
  return (shown.length === 0 ? path : `${path}?${shown.join('&')}`).slice(0, longestUrl);
}

/** What would end a quoted field or a line, or move a terminal's cursor, as `\xHH`. */
function quotable(text: string): string {
  return text.replace(/["\\\p{Cc}]/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `28/Nov/2026:11:05:08 +0000`. */
function clfDate(date: Date): string {
  const [day, time] = date.toISOString().split('T');
  const [year, month, dayOfMonth] = (day ?? '').split('-');
  return `${dayOfMonth}/${months[Number(month) - 1]}/${year}:${time?.slice(0, 8)} +0000`;
}
