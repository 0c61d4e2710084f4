import type { Rule } from './rig.ts';

/** Another answer than the registry's. */
export function status(on: string | readonly string[], code: number, more: Rule = {}): Rule {
  return { on, fault: 'status', status: code, ...more };
}

/** The token that the request carries is refused from then on. */
export function revoke(on: string | readonly string[], more: Rule = {}) {
  return ({ realm }: { readonly realm: string }): readonly Rule[] => [
    {
      on,
      fault: 'expire-token',
      challenge: `Bearer realm="${realm}",service="registry.test",error="invalid_token"`,
      ...more,
    },
  ];
}

/** What sends bytes of a blob, whichever way a client goes. */
export const sending = ['patch', 'put-blob'] as const;
