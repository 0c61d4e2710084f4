import { stripTypeScriptTypes } from 'node:module';

/** Jest transformer: Node's own type stripping. Types become blanks, so lines and columns stay and no source map is needed. */
export default {
  process: (source) => ({ code: stripTypeScriptTypes(source) }),
};
