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

/** `text` with `***` for each secret. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, masked), text);
}

/** What to look for so that a value is not found: all of it and its lines, without the blanks around them, longest first. */
export function searchable(values: readonly Uint8Array[]): string[] {
  const decoder = new TextDecoder();
  const found = new Set<string>();
  for (const value of values) {
    const text = decoder.decode(value);
    for (const each of [text.trim(), ...text.split('\n').map((line) => line.trim())]) {
      if (each.length >= shortest && each.length <= longest) found.add(each);
    }
  }
  return [...found].sort((a, b) => b.length - a.length);
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
