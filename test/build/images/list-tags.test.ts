import { describe, expect, it } from '@jest/globals';
import type { ImagePlace } from '../../../src/build/images/image-place.ts';
import { nameIn } from '../../../src/build/images/list-tags.ts';

describe('the name of a tag', () => {
  it.each([
    ['store', 'docker.io/library/app:1', 'docker.io/library/app:debian'],
    ['store', 'registry.example.com:5000/app', 'registry.example.com:5000/app:debian'],
    ['registry', '1', 'debian'],
    ['file', '', 'debian'],
  ])('in a %s (%s)', (kind, reference, name) => {
    // in the store `debian` alone would be another image
    expect(nameIn({ kind, reference } as ImagePlace, 'debian')).toBe(name);
  });
});
