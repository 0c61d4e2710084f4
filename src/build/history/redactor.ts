const masked = '***';
/** Shorter ones would make a sieve of any text. */
const shortest = 4;
/** Secrets longer than this are looked for by their lines alone, so that little output is held back. */
const longest = 4096;

/**
 * Takes secrets out of a stream of text. Their ends may lie in different pieces, so the end of each piece is held back as long
 * as a secret could begin in it.
 */
export class Redactor {
  readonly #secrets: () => readonly string[];
  #held = '';

  /** @param secrets asked at every piece: secrets become known during a build */
  constructor(secrets: () => readonly string[]) {
    this.#secrets = secrets;
  }

  /** The text that can be given out. */
  take(piece: string): string {
    const secrets = this.#secrets();
    const text = redact(this.#held + piece, secrets);
    const kept = heldBack(text, secrets);
    this.#held = text.slice(text.length - kept);
    return text.slice(0, text.length - kept);
  }

  /** What was held back. */
  rest(): string {
    const held = redact(this.#held, this.#secrets());
    this.#held = '';
    return held;
  }
}

/** Takes secrets out of text that is to be written down. */
export function secretMask(values: readonly Uint8Array[]): (text: string) => string {
  const secrets = searchable(values);
  return (text) => redact(text, secrets);
}

/** `text` with `***` for each secret. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, masked), text);
}

/**
 * What to look for so that a value is not found: all of it and its lines, without the blanks around them, and how tools write it: in
 * base64, in a URL, in JSON. Longest first.
 */
export function searchable(values: readonly Uint8Array[]): string[] {
  const decoder = new TextDecoder();
  const found = new Set<string>();
  for (const value of values) {
    const text = decoder.decode(value);
    const plain = [text.trim(), ...text.split('\n').map((line) => line.trim())];
    for (const each of [...plain, ...plain.flatMap(written), ...inBase64(value)]) {
      for (const piece of piecesOf(each)) if (piece.length >= shortest) found.add(piece);
    }
  }
  return [...found].sort((a, b) => b.length - a.length);
}

/** A line may be longer than what is looked for at once. */
function piecesOf(text: string): readonly string[] {
  if (text.length <= longest) return [text];
  if (text.includes('\n')) return []; // its lines are looked for
  return Array.from({ length: Math.ceil(text.length / longest) }, (_, at) =>
    text.slice(at * longest, (at + 1) * longest),
  );
}

function written(text: string): readonly string[] {
  const inUrl = encodeURIComponent(text.toWellFormed());
  return [inUrl, inUrl.replaceAll('%20', '+'), JSON.stringify(text).slice(1, -1)];
}

/** Lines of base64(1). */
const lines = /.{1,76}/g;
/** Shorter ones say nothing. */
const shortestBase64 = 8;

/**
 * Each three bytes become four characters, so what comes before a value (`user:`) decides how it is cut. What shares characters with
 * others, at its beginning and its end, is not looked for. Large values are no passwords, and looking for all their forms takes long.
 */
function inBase64(value: Uint8Array): readonly string[] {
  if (value.length > longest) return [];
  const [whole = '', ...cut] = [0, 1, 2].map((skipped) => {
    const rest = Buffer.from(value).subarray(skipped);
    return rest.subarray(0, rest.length - (rest.length % 3)).toString('base64');
  });
  const forms = [whole, ...cut].flatMap((each) => [each, each.replaceAll('+', '-').replaceAll('/', '_')]);
  return [...forms, ...(whole.match(lines) ?? [])].filter((each) => each.length >= shortestBase64);
}

/** How many characters at the end of a text may be the beginning of a secret. */
function heldBack(text: string, secrets: readonly string[]): number {
  let most = 0;
  const last = text.at(-1);
  for (const secret of secrets) {
    for (let length = Math.min(secret.length - 1, text.length); length > most; length -= 1) {
      if (secret[length - 1] === last && text.endsWith(secret.slice(0, length))) most = length;
    }
  }
  return most;
}
