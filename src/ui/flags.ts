import { boolean, custom, option, string } from '@oclif/core/flags';

/** Flags that several commands share, one family a function or constant, so that a word means the same everywhere. */

export const formatFlag = string({
  char: 'f',
  description: 'Format output with a Go template, or `json`',
  helpValue: 'TEMPLATE',
});

/** `--format` of lists, where docker has no short form. */
export const listFormatFlag = string({
  description: "Format output: 'table', 'table TEMPLATE', 'json', or a Go template",
  helpValue: 'FORMAT',
});

export const jsonFlag = boolean({ description: 'Write the result as JSON', default: false });

/** `-o` of commands that write one document. */
export const outputFlag = string({
  char: 'o',
  description: 'File to write; standard output unless given',
  helpValue: 'FILE',
});

export const digestFileFlag = string({
  description: 'Write the digest to a file, one a line where there are several',
  helpValue: 'FILE',
});

export const quietFlag = boolean({ char: 'q', description: 'Write only ids', default: false });

export const noTruncFlag = boolean({ description: "Don't shorten ids and texts", default: false });

export const forceFlag = boolean({ char: 'f', description: 'Do not ask', default: false });

export const platformFlag = string({ description: 'Platform of the image', helpValue: 'os/arch[/variant]' });

export const isolationFlag = option({
  options: ['auto', 'runc', 'sandbox'] as const,
  description: 'What separates RUN steps from the machine',
  default: 'auto',
})();

/** Several values, one each time the flag is given. */
export const listFlag = custom<string>({ multiple: true, multipleNonGreedy: true });
