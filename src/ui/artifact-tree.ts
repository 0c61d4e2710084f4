import type { ArtifactTree } from '../build/index.ts';
import { escapeControls } from './escape.ts';

/** A tree of artifacts, a line each. */
export function artifactTreeLines(tree: ArtifactTree): string[] {
  return [lineOf(tree), ...below(tree, '')];
}

function below({ manifests, referrers }: ArtifactTree, indent: string): string[] {
  const branches = [...manifests, ...referrers];
  return branches.flatMap((branch, at) => {
    const isLast = at === branches.length - 1;
    return [
      `${indent}${isLast ? '└── ' : '├── '}${lineOf(branch)}`,
      ...below(branch, `${indent}${isLast ? '    ' : '│   '}`),
    ];
  });
}

function lineOf({ digest, platform, artifactType }: ArtifactTree): string {
  const what = platform ?? artifactType;
  return what === undefined ? digest : `${digest}  ${escapeControls(what)}`;
}
