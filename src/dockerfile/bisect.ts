/**
 * The index, from `from` on, of the first item that `isBeyond` holds of; the list's length where there is none. By
 * halves, so that a place for each of many items is found in a list as long: once it holds it must hold of all after.
 */
export function firstBeyond<Item>(list: readonly Item[], isBeyond: (item: Item) => boolean, from = 0): number {
  let [low, high] = [from, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = list[middle];
    if (item !== undefined && !isBeyond(item)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of the last item before the first that `isBeyond` holds of; that of the first item where it holds of all. */
export function lastWithin<Item>(list: readonly Item[], isBeyond: (item: Item) => boolean): number {
  return Math.max(0, firstBeyond(list, isBeyond) - 1);
}
