import type { ProgressRenderer } from './types.ts';

/** Several renderers of one build as one. */
export function severalRenderers(renderers: readonly ProgressRenderer[]): ProgressRenderer {
  return {
    event: (event) => {
      for (const each of renderers) each.event(event);
    },
    end: (error) => {
      for (const each of renderers) each.end(error);
    },
    suspend: () => {
      for (const each of renderers) each.suspend();
    },
    resume: () => {
      for (const each of renderers) each.resume();
    },
    hide: (values) => {
      for (const each of renderers) each.hide?.(values);
    },
    close: async () => {
      for (const each of renderers) await each.close?.();
    },
  };
}
