import type { Span } from './source.ts';
import type { Value } from './value.ts';

/** A definition as it is written: attributes and blocks. JSON is read into the same form. */
export interface Body {
  readonly attributes: readonly AttributeNode[];
  readonly blocks: readonly BlockNode[];
  readonly span: Span;
}

export interface AttributeNode {
  readonly name: string;
  readonly expression: Expression;
  /** Of its name. */
  readonly span: Span;
}

export interface BlockNode {
  readonly type: string;
  readonly labels: readonly { readonly text: string; readonly span: Span }[];
  readonly body: Body;
  /** Of its head. */
  readonly span: Span;
}

export type Expression = { readonly span: Span } & (
  | { readonly kind: 'literal'; readonly value: Value }
  /** Parts become one text. */
  | { readonly kind: 'template'; readonly parts: readonly Expression[] }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'attribute'; readonly object: Expression; readonly name: string }
  | { readonly kind: 'index'; readonly object: Expression; readonly key: Expression }
  /** `each` is worth the same for every element, which stands in it as `element`. */
  | { readonly kind: 'splat'; readonly object: Expression; readonly each: Expression }
  | { readonly kind: 'element' }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly args: readonly Expression[];
      /** The last argument is a list of further ones. */
      readonly expand: boolean;
    }
  | { readonly kind: 'unary'; readonly operator: '-' | '!'; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'conditional';
      readonly condition: Expression;
      readonly whenTrue: Expression;
      readonly whenFalse: Expression;
    }
  | { readonly kind: 'tuple'; readonly items: readonly Expression[] }
  | { readonly kind: 'object'; readonly items: readonly ObjectItem[] }
  | ForExpression
);

export interface ObjectItem {
  readonly key: Expression;
  readonly value: Expression;
}

export interface ForExpression {
  readonly kind: 'for';
  readonly keyName: string | undefined;
  readonly valueName: string;
  readonly collection: Expression;
  /** Where an object is made. */
  readonly key: Expression | undefined;
  readonly value: Expression;
  readonly condition: Expression | undefined;
  /** `...`: values of one key are gathered. */
  readonly group: boolean;
  /** `%{ for }`: the values become one text. */
  readonly joined: boolean;
}

export type BinaryOperator = '||' | '&&' | '==' | '!=' | '<' | '>' | '<=' | '>=' | '+' | '-' | '*' | '/' | '%';
