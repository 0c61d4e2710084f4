import { redactText } from '../system/index.ts';

export { redactText, redactUrl, rememberSecret } from '../system/index.ts';

const secretHeaders = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie', 'x-registry-auth']);

/** Headers fit for a log: those that carry secrets keep only their scheme word; locations are redacted as URLs. */
export function redactHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    const text = typeof value === 'string' ? value : value.join(', ');
    shown[name] = redactHeader(name.toLowerCase(), text);
  }
  return shown;
}

function redactHeader(name: string, value: string): string {
  if (secretHeaders.has(name)) return `${/^(?:basic|bearer)(?= )/i.exec(value)?.[0] ?? ''} ***`.trim();
  return redactText(value);
}
