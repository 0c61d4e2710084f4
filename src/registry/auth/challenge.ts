/** One `WWW-Authenticate` challenge; scheme and parameter names in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const token = /^[!#$%&'*+.^_`|~\w-]+/;
const mostChallenges = 16;

/**
 * All challenges of all `WWW-Authenticate` headers (RFC 9110 §11.6.1): a header may hold several, divided by the same
 * comma that divides parameters. What cannot be read ends the header it stands in; what came before it counts.
 */
export function parseChallenges(headers: readonly string[]): readonly Challenge[] {
  return headers.flatMap((header) => parseHeader(header.slice(0, 8192))).slice(0, mostChallenges);
}

function parseHeader(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let rest = header;
  for (;;) {
    rest = rest.replace(/^[\s,]+/, '');
    const word = token.exec(rest)?.[0];
    if (word === undefined) return challenges;
    const parameter = parseParameter(rest, word);
    const open = challenges.at(-1);
    if (parameter !== undefined && open !== undefined) {
      // the first of a doubled parameter rules, so that what a proxy appends cannot replace it
      if (!open.parameters.has(parameter.name)) open.parameters.set(parameter.name, parameter.value);
      rest = parameter.rest;
      continue;
    }
    const after = rest.slice(word.length);
    if (after !== '' && !/^[\s,]/.test(after)) return challenges;
    challenges.push({ scheme: word.toLowerCase(), parameters: new Map() });
    rest = skipToken68(after);
  }
}

interface Parameter {
  readonly name: string;
  readonly value: string;
  readonly rest: string;
}

function parseParameter(text: string, name: string): Parameter | undefined {
  const equals = /^\s*=\s*(?!=)/.exec(text.slice(name.length))?.[0];
  if (equals === undefined) return undefined;
  const at = text.slice(name.length + equals.length);
  const quoted = /^"((?:[^"\\]|\\[\s\S])*)"/.exec(at);
  if (quoted) {
    return {
      name: name.toLowerCase(),
      value: (quoted[1] ?? '').replace(/\\([\s\S])/g, '$1'),
      rest: at.slice(quoted[0].length),
    };
  }
  // unquoted values are tokens, but some registries leave URLs and scopes unquoted
  const plain = /^[^\s",]+/.exec(at)?.[0];
  return plain === undefined ? undefined : { name: name.toLowerCase(), value: plain, rest: at.slice(plain.length) };
}

/** `Negotiate TlRMTVNT…==`: a scheme may be followed by one base64 blob instead of parameters. */
function skipToken68(text: string): string {
  const blob = /^ +[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|$))/.exec(text)?.[0];
  return blob === undefined ? text : text.slice(blob.length);
}

/** The challenge that we can answer: Bearer before Basic; others, such as Negotiate, are passed over. */
export function pickChallenge(challenges: readonly Challenge[]): Challenge | undefined {
  return (
    challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.has('realm')) ??
    challenges.find(({ scheme }) => scheme === 'basic')
  );
}
