import { toText, type Value } from './value.ts';

const verb = /%(?<flags>[-+# 0]*)(?<width>\d+)?(?:\.(?<precision>\d+))?(?<verb>[a-zA-Z%])/g;

/** Go's Sprintf for the verbs that formats use: `s v q d x X o b c t f e g` and `%`, with width, precision and `-`, `+`, `0`. */
export function printf(format: string, values: readonly Value[]): string {
  let used = 0;
  const result = format.replace(verb, (...match) => {
    const groups = match.at(-1) as { flags: string; width?: string; precision?: string; verb: string };
    if (groups.verb === '%') return '%';
    if (used >= values.length) return `%!${groups.verb}(MISSING)`;
    const value = values[used];
    used += 1;
    const precision = groups.precision === undefined ? undefined : Number(groups.precision);
    const text = formatOne(groups.verb, value, precision) ?? `%!${groups.verb}(${toText(value)})`;
    return pad(typeof value === 'number' && value >= 0 && groups.flags.includes('+') ? `+${text}` : text, groups);
  });
  const extra = values.slice(used);
  return extra.length === 0 ? result : `${result}%!(EXTRA ${extra.map(toText).join(', ')})`;
}

function formatOne(name: string, value: Value, precision: number | undefined): string | undefined {
  switch (name) {
    case 'v':
      return toText(value);
    case 's':
      return precision === undefined ? toText(value) : Array.from(toText(value)).slice(0, precision).join('');
    case 'q':
      return JSON.stringify(toText(value));
    case 't':
      return typeof value === 'boolean' ? String(value) : undefined;
    default:
      return typeof value === 'number' ? formatNumber(name, value, precision) : formatText(name, value);
  }
}

function formatText(name: string, value: Value): string | undefined {
  if (typeof value !== 'string') return undefined;
  if (name === 'x') return Buffer.from(value).toString('hex');
  return name === 'X' ? Buffer.from(value).toString('hex').toUpperCase() : undefined;
}

function formatNumber(name: string, value: number, precision: number | undefined): string | undefined {
  const radix = { d: 10, x: 16, X: 16, o: 8, b: 2 }[name];
  if (radix !== undefined) {
    if (!Number.isInteger(value)) return undefined;
    const digits = value.toString(radix);
    return name === 'X' ? digits.toUpperCase() : digits;
  }
  if (name === 'c') return String.fromCodePoint(value);
  if (name === 'f') return value.toFixed(precision ?? 6);
  if (name === 'e') return value.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2');
  if (name === 'g') return precision === undefined ? String(value) : String(Number(value.toPrecision(precision)));
  return undefined;
}

function pad(text: string, { flags, width }: { readonly flags: string; readonly width?: string }): string {
  const missing = Number(width ?? 0) - Array.from(text).length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0')) return ' '.repeat(missing) + text;
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}
