import type { Ast } from './ast.ts';
import type { PlacedNeed } from './contract.ts';
import { excerpt } from './excerpt.ts';
import { positionOf } from './position.ts';
import { toStages } from './stages.ts';
import { didYouMean } from './suggest.ts';

/** Names that are mistyped often. */
const commonImages: readonly string[] = ['alpine', 'busybox', 'centos', 'debian', 'golang', 'ubuntu', 'fedora'];

/** ` (did you mean build?)` where a stage or a well-known image is called almost like `name`; else empty. */
export function suggestImage(ast: Ast, name: string): string {
  const stages = toStages(ast).stages.flatMap((stage) => stage.name ?? []);
  const images = commonImages.flatMap((image) => [image, `${image}:latest`]);
  return didYouMean(name, [...stages, ...images]);
}

/** The lines of the file that need an image, with what names it pointed at. */
export function excerptOf({ source, escape }: Ast, { range, part }: PlacedNeed): string[] {
  const position = positionOf({ text: source.text, escape }, range, part);
  return excerpt(source.text, range, { name: source.name, position });
}
