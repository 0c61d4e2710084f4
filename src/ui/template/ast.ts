/** The nodes of a format template: what of Go's text/template docker's `--format` is used for. */
export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipe: Pipe }
  | {
      readonly kind: 'if' | 'with';
      readonly pipe: Pipe;
      readonly body: readonly TemplateNode[];
      readonly otherwise: readonly TemplateNode[];
    }
  | {
      readonly kind: 'range';
      readonly pipe: Pipe;
      /** `$key, $value :=`; one name alone is the value. */
      readonly key: string | undefined;
      readonly value: string | undefined;
      readonly body: readonly TemplateNode[];
      readonly otherwise: readonly TemplateNode[];
    }
  | { readonly kind: 'break' | 'continue' };

/** Commands joined by `|`: each result becomes the last argument of the next. */
export interface Pipe {
  /** Set where the action is `$name := …` or `$name = …`. */
  readonly variable: { readonly name: string; readonly declares: boolean } | undefined;
  readonly commands: readonly Command[];
}

export interface Command {
  readonly operands: readonly Operand[];
}

export type Operand =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'dot' }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'pipe'; readonly pipe: Pipe }
  | { readonly kind: 'field'; readonly of: Operand; readonly name: string };
