import { DockerfileError } from '../error.ts';

const symbolic = /^[ugoa]*(?:[-+=](?:[rwxXst]*|[ugo]))+$/;

/**
 * Checks a `--chmod`: octal up to 07777, or chmod's symbolic form (`u=rwX,go=rX`).
 * @throws DockerfileError INVALID_ARGUMENT
 */
export function checkFileMode(mode: string): void {
  if (/^[0-7]+$/.test(mode) && Number.parseInt(mode, 8) <= 0o7777) return;
  if (mode.split(',').every((clause) => symbolic.test(clause))) return;
  throw new DockerfileError(
    'INVALID_ARGUMENT',
    `invalid chmod parameter: '${mode}'. it should be octal string and between 0 and 07777`,
    { hint: 'the symbolic form is allowed too, such as u=rwX,go=rX' },
  );
}
