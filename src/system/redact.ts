const hidden = '***';
/** So many are remembered; who uses more credentials than that in one process loses the oldest. */
const mostRemembered = 1000;
/** Spellings of what this process was given or got. */
const remembered = new Set<string>();

/**
 * Hides a secret of this process (a password, a token) in all that `redactText` sees from now on: errors, notes, traces,
 * histories. In whatever way it is spelled: as it is, in a URL, in JSON, in base64.
 */
export function rememberSecret(secret: string): void {
  for (const spelling of spellings(secret)) {
    remembered.delete(spelling);
    remembered.add(spelling);
  }
  for (const oldest of remembered) {
    if (remembered.size <= mostRemembered) break;
    remembered.delete(oldest);
  }
}

/** Text without the secrets of this process: the last border before a terminal, for words that are otherwise our own. */
export function hideSecrets(text: string): string {
  return hideAll(text, [...remembered]);
}

/** A URL fit for a log: no userinfo, no fragment, and no query value, since presigned URLs carry their key there. */
export function redactUrl(url: URL | string): string {
  const parsed = URL.parse(String(url));
  if (parsed === null) return redactQuery(String(url));
  parsed.username = '';
  parsed.password = '';
  parsed.hash = '';
  const names = parsed.search.slice(1).split('&').filter(Boolean);
  parsed.search = '';
  return names.length === 0 ? parsed.href : `${parsed.href}?${names.map(hideValue).join('&')}`;
}

/**
 * Any text fit for a log or an error: URLs lose userinfo and query values; what looks like a credential (an
 * Authorization value, a token member of JSON or of a form, a JWT, a private key) is replaced; so is every one of
 * `secrets` and of those that were remembered, as it is, URL-encoded, base64-encoded and JSON-escaped.
 */
export function redactText(text: string, secrets: readonly string[] = []): string {
  let shown = hideAll(text, [...remembered, ...secrets.flatMap(spellings)]);
  for (const [pattern, replacement] of credentialShapes) shown = shown.replace(pattern, replacement);
  return shown
    .replace(/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+/gi, (url) => redactUrl(url))
    .replace(relativeQuery, redactQuery);
}

const relativeQuery = /(?<![\w:*])\/[^\s"'<>?]*\?[^\s"'<>]+/g;
const tokenNames =
  'token|access_token|refresh_token|id_token|identity_?token|registry_?token|password|passwd|secret|auth|client_secret';

const credentialShapes: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, hidden],
  [/\b(basic|bearer)\s+(?!realm=|challenge|token|auth|credential)[\w.~+/-]{6,}=*/gi, `$1 ${hidden}`],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, hidden],
  [new RegExp(`("(?:${tokenNames})"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"?`, 'gi'), `$1"${hidden}"`],
  [new RegExp(`\\b(${tokenNames})=[^\\s&"']+`, 'gi'), `$1=${hidden}`],
];

/** The longest first, since one may be a part of another. */
function hideAll(text: string, secrets: readonly string[]): string {
  return secrets
    .toSorted((a, b) => b.length - a.length)
    .reduce((rest, secret) => rest.replaceAll(secret, hidden), text);
}

function redactQuery(text: string): string {
  const at = text.indexOf('?');
  if (at < 0) return text;
  return `${text.slice(0, at)}?${text
    .slice(at + 1)
    .split('&')
    .map(hideValue)
    .join('&')}`;
}

function hideValue(pair: string): string {
  const at = pair.indexOf('=');
  return at < 0 ? pair : `${pair.slice(0, at)}=${hidden}`;
}

/** The ways one secret may be written; secrets shorter than 4 characters would blank out half of every text. */
function spellings(secret: string): string[] {
  if (secret.length < 4) return [];
  const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), base64];
}
