import { describe, expect, it } from '@jest/globals';
import {
  alignTabs,
  escapeControls,
  formatBinarySize,
  formatElapsed,
  formatSize,
  formatTable,
  humanDuration,
  keepColours,
  parseDuration,
  parseSize,
  shortId,
  stripControls,
  timeAgo,
} from '../../src/ui/index.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

describe('formatSize', () => {
  it.each([
    [0, '0B'],
    [999, '999B'],
    [1000, '1kB'],
    [762_000, '762kB'],
    [1_982_256, '1.98MB'],
    [164_000_000, '164MB'],
    [999_999, '1MB'],
    [1_500_000_000, '1.5GB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  it('has binary units with four digits', () => {
    expect([1023, 1024, 67_108_864, 1_610_612_736].map(formatBinarySize)).toEqual(['1023B', '1KiB', '64MiB', '1.5GiB']);
  });
});

describe('parseSize', () => {
  it.each([
    ['512', 512],
    ['512b', 512],
    ['64k', 65_536],
    ['512m', 536_870_912],
    ['1.5GiB', 1_610_612_736],
    ['2gb', 2_147_483_648],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(['', 'm', '-1', '1x', '1e9', '99999999999999999999'])('refuses %j', (text) => {
    expect(() => parseSize(text)).toThrow(`invalid size: '${text}'`);
  });
});

describe('humanDuration', () => {
  it.each([
    [0, 'Less than a second'],
    [second, '1 second'],
    [59 * second, '59 seconds'],
    [minute, 'About a minute'],
    [2 * minute, '2 minutes'],
    [59 * minute + 59 * second, '59 minutes'],
    [hour, 'About an hour'],
    [89 * minute, 'About an hour'],
    [90 * minute, '2 hours'],
    [47 * hour, '47 hours'],
    [2 * day, '2 days'],
    [13 * day, '13 days'],
    [14 * day, '2 weeks'],
    [59 * day, '8 weeks'],
    [60 * day, '2 months'],
    [729 * day, '24 months'],
    [730 * day, '2 years'],
  ])('%d ms are %j', (milliseconds, text) => {
    expect(humanDuration(milliseconds)).toBe(text);
  });

  it('tells how long ago, never in the future, and N/A for 1970', () => {
    const now = new Date('2026-02-01T00:00:00Z');
    expect(timeAgo(new Date('2026-01-01T00:00:00Z'), now)).toBe('4 weeks ago');
    expect(timeAgo(new Date('2026-03-01T00:00:00Z'), now)).toBe('Less than a second ago');
    expect([timeAgo(new Date(0), now), timeAgo(undefined, now)]).toEqual(['N/A', 'N/A']);
  });
});

describe('times', () => {
  it.each([
    [0, '0.0s'],
    [349, '0.3s'],
    [12_000, '12.0s'],
    [599_900, '599.9s'],
    [604_000, '10m04s'],
    [3_845_000, '1h04m05s'],
  ])('%d ms have elapsed as %s', (milliseconds, text) => {
    expect(formatElapsed(milliseconds)).toBe(text);
  });

  it.each([
    ['0', 0],
    ['500ms', 500],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['10us', 0.01],
  ])('reads the duration %s as %d ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBeCloseTo(milliseconds, 9);
  });

  it.each(['', '5', 's', '-1s', '1 s'])('refuses the duration %j', (text) => {
    expect(() => parseDuration(text)).toThrow('invalid duration');
  });
});

describe('formatTable', () => {
  it('sets columns three spaces apart and at least ten wide, the last one as it comes', () => {
    const table = formatTable([
      ['CONTAINER ID', 'IMAGE', 'COMMAND'],
      ['0123456789ab', 'busybox', '"sh"'],
    ]);
    expect(table).toBe('CONTAINER ID   IMAGE     COMMAND\n0123456789ab   busybox   "sh"\n');
  });

  it('counts characters, not bytes', () => {
    expect(alignTabs(['ééééééééé\tx', 'a\ty'])).toBe('ééééééééé   x\na           y\n');
  });
});

it('shortId takes the twelve digits, with or without algorithm', () => {
  expect([shortId(`sha256:${'0123456789abcdef'.repeat(4)}`), shortId('abc')]).toEqual(['0123456789ab', 'abc']);
});

describe('text from outside', () => {
  it.each([
    ['an escape sequence', 'a\u001b[2Kb', 'a\\x1b[2Kb'],
    ['line breaks', 'a\r\nb\tc', 'a\\r\\nb\\tc'],
    ['C1 controls', 'a\u009bb', 'a\\x9bb'],
    ['reordering of text', 'a\u202eb', 'a\\u202eb'],
    ['letters of any script', 'größe 大', 'größe 大'],
  ])('escapeControls shows %s', (_, text, escaped) => {
    expect(escapeControls(text)).toBe(escaped);
  });

  it.each([
    ['colours stay', '\u001b[31mred\u001b[0m', '\u001b[31mred\u001b[0m'],
    ['cursor movement goes', 'a\u001b[2Ab\u001b[Kc', 'abc'],
    ['window titles go', 'a\u001b]0;title\u0007b', 'ab'],
    ['clipboard writes go', 'a\u001b]52;c;aGk=\u001b\\b', 'ab'],
    ['unfinished sequences go', 'a\u001b[31', 'a'],
    ['eight-bit sequences lose their effect', 'a\u009b2Jb', 'a2Jb'],
    ['tabs stay', 'a\tb', 'a\tb'],
  ])('keepColours: %s', (_, text, kept) => {
    expect(keepColours(text)).toBe(kept);
  });

  it('stripControls leaves words only', () => {
    expect(stripControls('\u001b[1mbold\u001b[0m\tx\u0007\u001bc')).toBe('bold    x');
  });
});
