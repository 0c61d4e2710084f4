import type { TreeRow } from '../inspect/index.ts';

const letters: Readonly<Record<TreeRow['type'], string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  hardlink: 'h',
  character: 'c',
  block: 'b',
  fifo: 'p',
};

/** `-rwsr-xr-x`, as ls(1) writes it. */
export function formatMode({ type, mode }: Pick<TreeRow, 'type' | 'mode'>): string {
  const bits = 'rwxrwxrwx'.split('').map((letter, index) => (mode & (1 << (8 - index)) ? letter : '-'));
  const special: [bit: number, index: number, letter: string][] = [
    [0o4000, 2, 's'],
    [0o2000, 5, 's'],
    [0o1000, 8, 't'],
  ];
  for (const [bit, index, letter] of special)
    if (mode & bit) bits[index] = bits[index] === '-' ? letter.toUpperCase() : letter;
  return letters[type] + bits.join('');
}
