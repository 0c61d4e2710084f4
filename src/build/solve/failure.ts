import { decodeText, excerpt } from '../../dockerfile/index.ts';
import { isSlipwayError, messageOf } from '../../errors.ts';
import type { OpenContext } from '../contexts/main-context.ts';
import type { StepFailure } from './schedule.ts';

type Dockerfile = OpenContext['dockerfile'];

/** The error of the first step that failed, with the lines of the Dockerfile that it is about; the others are told below it. */
export function failureOf([first, ...others]: readonly StepFailure[], dockerfile: Dockerfile): unknown {
  if (first === undefined) throw new Error('nothing failed');
  const error = located(first, dockerfile);
  if (others.length === 0 || !isSlipwayError(error)) return error;
  const more = others.flatMap((other) => {
    const also = located(other, dockerfile);
    const details = isSlipwayError(also) ? also.details : [];
    return ['', `also failed: ${other.step.title}: ${messageOf(other.error)}`, ...details];
  });
  return Object.assign(error, { details: [...error.details, ...more] });
}

function located({ error, step }: StepFailure, { name, text }: Dockerfile): unknown {
  if (!isSlipwayError(error) || step.location === undefined) return error;
  return Object.assign(error, {
    details: [...error.details, ...excerpt(decodeText(text), step.location, { name })],
  });
}
