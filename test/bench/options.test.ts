import { describe, expect, it } from '@jest/globals';
import { readOptions } from '../../bench/options.ts';

describe('the words of npm run bench', () => {
  it('name jobs, rounds and places', () => {
    expect(readOptions(['pack', 'pull', '--rounds', '7', '--place=ext4', '--save'], ['tmpfs', 'ext4'])).toEqual({
      names: ['pack', 'pull'],
      rounds: 7,
      places: ['ext4'],
      json: false,
      save: true,
      page: false,
      list: false,
      tiny: false,
    });
  });

  it('mean every place that this user can have unless one is named', () => {
    expect(readOptions([], ['tmpfs']).places).toEqual(['tmpfs']);
    expect(readOptions(['--place', 'both'], ['tmpfs', 'ext4']).places).toEqual(['tmpfs', 'ext4']);
  });

  it.each([
    { words: ['--rounds', '0'], says: '--rounds wants a number' },
    { words: ['--place', 'ext4'], says: '--place can be tmpfs, both here' },
    { words: ['--tiny', '--save'], says: 'not kept' },
    { words: ['--fast'], says: '--fast' },
  ])('are refused: $words', ({ words, says }) => expect(() => readOptions(words, ['tmpfs'])).toThrow(says));
});
