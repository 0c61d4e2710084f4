import { expect, it } from '@jest/globals';
import { statSync } from 'node:fs';
import { splitDevice } from '../../src/system/index.ts';

it.each([
  [0x103n, 1, 3],
  [0x8801n, 0x88, 1],
  [0xfd00n, 253, 0],
  [0x1_0000_0000_0005n, 0x10000, 5],
  [0x10_0a02n, 10, 0x102],
])('%d is %i:%i', (device, major, minor) => {
  expect(splitDevice(device)).toEqual({ major, minor });
});

it('/dev/null is 1:3', () => {
  expect(splitDevice(statSync('/dev/null', { bigint: true }).rdev)).toEqual({ major: 1, minor: 3 });
});
