import { describe, expect, it } from '@jest/globals';
import { style } from '../../../src/ui/timeline/style.ts';

/** The variables of the light and of the dark page. */
const [light = '', dark = ''] = [...style.matchAll(/:root \{([^}]*)\}/g)].map(([, block]) => block);

function colour(block: string, name: string): string {
  return new RegExp(`--${name}: (#[0-9a-f]{6})`).exec(block)?.[1] ?? '';
}

/** WCAG 2's contrast of two colours. */
function contrast(one: string, other: string): number {
  const [a = 0, b = 0] = [luminance(one), luminance(other)].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.039_28 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

describe.each([
  ['light', light],
  ['dark', dark],
])('the colours of the %s page', (_, block) => {
  it.each([
    ...['run', 'copy', 'image', 'workdir', 'around', 'error'].map((kind) => ['on-bar', kind] as const),
    ['cached-ink', 'cached'],
    ['ink', 'cancelled'],
    ['ink', 'ground'],
    ['ink', 'panel'],
    ['soft', 'panel'],
    ['soft', 'ground'],
  ])('%s is read on %s', (text, ground) => {
    expect(contrast(colour(block, text), colour(block, ground))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(['run', 'copy', 'image', 'workdir', 'around', 'error', 'mark'])('%s is seen on the panel', (name) => {
    expect(contrast(colour(block, name), colour(block, 'panel'))).toBeGreaterThanOrEqual(3);
  });
});
