import { describe, expect, it } from '@jest/globals';
import { formatBinarySize, formatSize, readDuration, readSize } from '../../src/oci/index.ts';

describe('readSize', () => {
  it.each([
    ['0', 0],
    ['1000', 1000],
    ['64 KiB', 65_536],
    ['128m', 134_217_728],
    ['1.5g', 1_610_612_736],
    ['2GB', 2_147_483_648],
  ])('%s is %d bytes', (text, bytes) => {
    expect(readSize(text)).toBe(bytes);
  });

  it.each(['', ' 1', '1  k', '-1', '1e3', '1x', '.5g', '9999999p'])('%j is none', (text) => {
    expect(readSize(text)).toBeUndefined();
  });
});

describe('sizes as docker writes them', () => {
  it.each([
    [999_900, '1MB', '976.5KiB'],
    [1000, '1kB', '1000B'],
    [1_610_612_736, '1.61GB', '1.5GiB'],
  ])('%d bytes are %s, or %s', (bytes, decimal, binary) => {
    expect([formatSize(bytes), formatBinarySize(bytes)]).toEqual([decimal, binary]);
  });
});

describe('readDuration', () => {
  it.each([
    ['0', 0],
    ['500ms', 500],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['2.s', 2000],
  ])('%s is %d ms', (text, milliseconds) => {
    expect(readDuration(text)).toBe(milliseconds);
  });

  it.each(['', '5', '-1s', '1d', '1m x', '.5s'])('%j is none', (text) => {
    expect(readDuration(text)).toBeUndefined();
  });
});
