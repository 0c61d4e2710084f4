/** Edits below which a word counts as a slip of another. */
const maxDistance = 3;

/** Characters beyond which nobody tells words apart by reading, and comparing them takes the square of their length. */
const maxLength = 100;

/**
 * ` (did you mean X?)` for the option nearest to `word`, or an empty text where none is near, or `word` is one of them.
 * With `fold`, letter case does not count and the answer takes the word's case.
 */
export function didYouMean(word: string, options: Iterable<string>, { fold = false } = {}): string {
  if (word.length > maxLength) return '';
  const wanted = fold ? word.toLowerCase() : word;
  let best: string | undefined;
  let bestDistance = maxDistance;
  for (const option of options) {
    const candidate = fold ? option.toLowerCase() : option;
    if (candidate === wanted) return '';
    const distance = editDistance(wanted, candidate, bestDistance);
    if (distance < bestDistance) {
      bestDistance = distance;
      best = fold ? inCaseOf(word, option) : option;
    }
  }
  return best === undefined ? '' : ` (did you mean ${best}?)`;
}

function inCaseOf(model: string, word: string): string {
  if (model === model.toLowerCase()) return word.toLowerCase();
  return model === model.toUpperCase() ? word.toUpperCase() : word;
}

/** Levenshtein's distance, or `limit` where it is at least that. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return Math.min(previous[b.length] ?? limit, limit);
}
