import { DockerfileError } from '../error.ts';
import { didYouMean } from '../suggest.ts';

const names: ReadonlySet<string> = new Set(
  [
    'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP',
    'TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX',
    Array.from({ length: 15 }, (_, index) => `RTMIN+${index + 1}`).join(' '),
    Array.from({ length: 14 }, (_, index) => `RTMAX-${index + 1}`).join(' '),
  ]
    .join(' ')
    .split(' '),
);

/**
 * Checks that `signal` is a number or a signal's name, with or without SIG, in any case.
 * @throws DockerfileError INVALID_ARGUMENT
 */
export function checkSignal(signal: string): void {
  if (/^[+-]?\d{1,9}$/.test(signal) && Number(signal) !== 0) return;
  const name = signal.toUpperCase();
  const prefix = name.startsWith('SIG') ? 'SIG' : '';
  if (names.has(name.slice(prefix.length))) return;
  const suggestion = didYouMean(
    name,
    [...names].map((option) => prefix + option),
  );
  throw new DockerfileError('INVALID_ARGUMENT', `invalid signal: ${signal}${suggestion}`);
}
