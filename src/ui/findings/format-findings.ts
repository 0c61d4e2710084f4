import { toJson } from '../json.ts';
import type { CheckedFile, FindingsFormat } from './checked-file.ts';
import { githubFindings } from './github.ts';
import { humanFindings } from './human.ts';
import { jsonFindings } from './json.ts';
import { sarifFindings } from './sarif.ts';

/** What checks came to, as text in the form that is asked for. `version` is Slipway's own. */
export function formatFindings(
  files: readonly CheckedFile[],
  { format, version }: { readonly format: FindingsFormat; readonly version: string },
): string {
  switch (format) {
    case 'human':
      return humanFindings(files);
    case 'github':
      return githubFindings(files);
    case 'json':
      return toJson(jsonFindings(files));
    case 'sarif':
      return toJson(sarifFindings(files, { version }));
  }
}
