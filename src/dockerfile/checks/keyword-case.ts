/** The case that most keywords of a file are written in, which the others should have too; upper case in a draw. */
export type KeywordCase = 'lower' | 'upper';

export function keywordCaseOf(names: readonly string[]): KeywordCase {
  const lower = names.filter((name) => name === name.toLowerCase()).length;
  const upper = names.filter((name) => name === name.toUpperCase()).length;
  return lower > upper ? 'lower' : 'upper';
}

export function inCase(name: string, wanted: KeywordCase): string {
  return wanted === 'lower' ? name.toLowerCase() : name.toUpperCase();
}
