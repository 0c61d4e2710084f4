import { isReference, parseReference } from '../../../oci/index.ts';
import type { FileRule } from '../subject.ts';

export const unpinnedBaseImage: FileRule = {
  name: 'UnpinnedBaseImage',
  description: 'A base image should have a tag other than latest, or a digest',
  url: 'docs/checks/unpinned-base-image.md',
  *find({ stages }) {
    for (const { base, instruction } of stages) {
      if (base.kind !== 'image' || base.replaced || !isReference(base.name)) continue;
      const { tag, digest } = parseReference(base.name, { keepUntagged: true });
      if (digest !== undefined || (tag !== undefined && tag !== 'latest')) continue;
      const what = tag === undefined ? 'has neither tag nor digest, which means latest' : 'has the tag latest';
      yield {
        message: `The base image ${base.name} ${what}: another image with every release`,
        range: instruction.range,
        comments: instruction.comments,
        part: { arg: 0 },
      };
    }
  },
};
