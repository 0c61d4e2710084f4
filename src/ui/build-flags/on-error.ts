import { option } from '@oclif/core/flags';
import { type BuildRequest, type OnShell } from '../../build/index.ts';
import { UsageError } from '../../errors.ts';
import type { ProgressRenderer } from '../progress/types.ts';

/** What becomes of a RUN step that fails. */
export const onErrorFlags = {
  'on-error': option({
    options: ['fail', 'keep', 'shell'] as const,
    description: 'A failed RUN step: leave nothing, keep its state for `slipway debug`, or open a shell in it',
    default: 'fail',
  })(),
};

export interface OnErrorValues {
  readonly 'on-error': 'fail' | 'keep' | 'shell';
  readonly file?: string | undefined;
}

/** @throws UsageError where a shell would have to share its input with the build */
export function onErrorOf(values: OnErrorValues, context: string): Pick<BuildRequest, 'onError'> {
  const usesInput = context === '-' || values.file === '-';
  if (values['on-error'] === 'shell' && usesInput) {
    throw new UsageError(
      '--on-error=shell needs standard input for itself: give context and Dockerfile in another way',
    );
  }
  return { onError: values['on-error'] };
}

/** The display steps aside while a shell is open. */
export function besideShell(progress: ProgressRenderer): OnShell {
  return async (open) => {
    progress.suspend();
    try {
      await open();
    } finally {
      progress.resume();
    }
  };
}
