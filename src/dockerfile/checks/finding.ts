import type { Span } from '../span.ts';
import type { SourceRange } from '../graph.ts';
import type { Part, Position } from '../part.ts';
import type { Rule } from './rule.ts';

/** Something that a check found in a Dockerfile. Plain JSON. */
export interface Finding {
  /** Name of its rule: `StageNameCasing`. */
  readonly rule: string;
  /** What the rule is about, in general. */
  readonly description: string;
  /** What is wrong here. */
  readonly message: string;
  /** The rule's page: an address, or a path in this project's documentation. */
  readonly url?: string;
  /** The instruction's lines, as BuildKit gives them. */
  readonly range: SourceRange;
  /** The very words, where they can be told. */
  readonly start: Position;
  readonly end: Position;
  /** What would mend it, where that is mechanical. */
  readonly fix?: Fix;
}

export interface Fix {
  /** What it does: `write --no-install-recommends`. */
  readonly title: string;
  /** In the order of the file; they do not overlap. */
  readonly edits: readonly Edit[];
}

/** Puts `text` in the place of a stretch of the file; offsets in UTF-16 units. */
export interface Edit extends Span {
  readonly text: string;
}

/** What a rule has to say, before its place in the file is looked up. */
export interface FindingDraft {
  readonly rule: Rule;
  readonly message: string;
  readonly range: SourceRange;
  /** What of the instruction is meant; all of it unless given. */
  readonly part?: Part;
  /** Comments above the instruction, which may skip the rule; none for a finding that only the whole file can skip. */
  readonly comments?: readonly string[];
  readonly fix?: Fix;
  /** Whether the mistake is in another file's text, brought by an ONBUILD trigger of the base: nothing here mends it. */
  readonly triggered?: boolean;
}
