import { maskedValue, type KeyParts } from './cache-key.ts';
import type { ListingChange, ListingDifference } from '../copy/listing.ts';
import type { MissReason } from '../events.ts';
import type { StepAccount } from './account.ts';

/** A step that is not in the cache, as explaining needs it. */
export interface MissedStep {
  readonly kind: StepAccount['kind'];
  readonly stage: string;
  readonly parts: KeyParts;
  /** The step whose result it starts from. */
  readonly parent?: { readonly title: string; readonly image?: KeyParts | undefined } | undefined;
}

export interface Explaining {
  /** The steps of the last build. */
  readonly before: readonly StepAccount[];
  /** How many steps of the same kind come before it in its stage. */
  readonly place: number;
  /** Which files differ, by the parts that are content digests, where that is known. */
  readonly files?: ReadonlyMap<string, readonly MissReason[]> | undefined;
}

const longest = 160;

/**
 * Why a step must be done: each part of its key that differs from the step of the last build that it stands for. Not empty:
 * where nothing that may be shown differs, it says so.
 */
export function explainMiss(step: MissedStep, explaining: Explaining): readonly MissReason[] {
  const before = counterpart(step, explaining);
  if (before === undefined) return [{ part: 'new', text: 'no earlier build of this Dockerfile here had such a step' }];
  const names = [...new Set([...Object.keys(before.parts), ...Object.keys(step.parts)])].sort(byWeight);
  const reasons = names.flatMap((part) => {
    const [was, now] = [before.parts[part], step.parts[part]];
    return was === now ? [] : reasonsFor(part, was, now, { step, explaining });
  });
  if (reasons.length > 0) return reasons;
  const hidden = maskedNames(step.parts);
  if (before.outcome === 'failed') return [{ part: 'failed', text: 'it failed the last time' }];
  if (hidden.length === 0) return [{ part: 'layer', text: 'its result is no longer in the store' }];
  const text = `its result is no longer in the store, or a value that is not shown changed: ${hidden.join(', ')}`;
  return [{ part: 'environment', name: hidden.join(', '), before: maskedValue, after: maskedValue, text }];
}

/** The step of the last build that does the same, or stands in the same place. */
export function counterpart(
  step: Pick<MissedStep, 'kind' | 'stage' | 'parts'>,
  { before, place }: Pick<Explaining, 'before' | 'place'>,
): StepAccount | undefined {
  const alike = before.filter((each) => each.kind === step.kind && each.stage === step.stage);
  const purpose = purposeOf(step.parts);
  const same = alike.filter((each) => purposeOf(each.parts) === purpose);
  const here = alike[place];
  return here !== undefined && (same.length === 0 || same.includes(here)) ? here : same[0];
}

/** What a step is for: its command, or where it puts things. */
export function purposeOf(parts: KeyParts): string | undefined {
  return parts['command'] ?? parts['destination'] ?? parts['path'];
}

/** The parent comes last: what the step itself says is the better reason. */
function byWeight(a: string, b: string): number {
  return Number(a === 'parent') - Number(b === 'parent') || (a < b ? -1 : 1);
}

interface Around {
  readonly step: MissedStep;
  readonly explaining: Explaining;
}

function reasonsFor(
  part: string,
  was: string | undefined,
  now: string | undefined,
  around: Around,
): readonly MissReason[] {
  if (part === 'environment') return environmentReasons(was ?? '[]', now ?? '[]');
  if (part === 'parent') return [parentReason(was, now, around)];
  if (isContent(part)) {
    const name = part === 'sources' ? undefined : part.slice('mount '.length);
    const files = around.explaining.files?.get(part);
    if (files !== undefined && files.length > 0) return files;
    const what = name === undefined ? 'what it copies' : `what is mounted on ${name}`;
    return [{ part: name === undefined ? 'source' : 'mount', name, before: was, after: now, text: `${what} changed` }];
  }
  return [{ part, before: was, after: now, text: changed(part, shown(was), shown(now)) }];
}

/** Names the files that differ. */
export function reasonsOfListings({ changes, more }: ListingDifference): readonly MissReason[] {
  const reasons = changes.map((change): MissReason => {
    const { path: name, before, after } = change;
    return { part: 'source', name, before, after, text: fileText(change) };
  });
  return more === 0 ? reasons : [...reasons, { part: 'source', text: `and ${more} more files` }];
}

function fileText({ path, change, before, after }: ListingChange): string {
  if (change === 'added' || change === 'removed') return `${path} was ${change}`;
  const what = change === 'content' ? path : `the ${change} of ${path}`;
  return `${what} changed: ${brief(before)} → ${brief(after)}`;
}

/** Whether a part is the content digest of files. */
export function isContent(part: string): boolean {
  return part === 'sources' || part.startsWith('mount ');
}

function environmentReasons(was: string, now: string): readonly MissReason[] {
  const [before, after] = [variables(was), variables(now)];
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  const reasons = names.flatMap((name): MissReason[] => {
    const [old, fresh] = [before.get(name), after.get(name)];
    if (old === fresh) return [];
    return [{ part: 'environment', name, before: old, after: fresh, text: changed(name, quoted(old), quoted(fresh)) }];
  });
  return reasons.length > 0 ? reasons : [{ part: 'environment', text: 'its variables come in another order' }];
}

function variables(list: string): ReadonlyMap<string, string> {
  return new Map(
    (JSON.parse(list) as string[]).map((each) => {
      const equals = each.indexOf('=');
      return [each.slice(0, equals), each.slice(equals + 1)] as const;
    }),
  );
}

function parentReason(was: string | undefined, now: string | undefined, { step, explaining }: Around): MissReason {
  const layers = { before: was, after: now };
  if (step.parent === undefined) return { part: 'parent', ...layers, text: 'it starts from an empty tree now' };
  const { title, image } = step.parent;
  if (image === undefined) return { part: 'parent', name: title, ...layers, text: `the result of ${title} changed` };
  const name = image['name'] ?? title;
  const old = explaining.before.find((each) => each.kind === 'image' && each.parts['name'] === name);
  const digests = { before: old?.parts['digest'] ?? was, after: image['digest'] ?? now };
  return { part: 'base', name, ...digests, text: `the base image ${name} changed: ${changeOf(digests)}` };
}

function changeOf({ before, after }: Pick<MissReason, 'before' | 'after'>): string {
  return `${brief(before)} → ${brief(after)}`;
}

/** A digest as people compare them. */
function brief(digest: string | undefined): string {
  return digest === undefined ? 'nothing' : digest.replace(/^(sha256:[0-9a-f]{12})[0-9a-f]+$/, '$1');
}

function changed(what: string, was: string | undefined, now: string | undefined): string {
  if (was === undefined) return `${what} is new: ${now}`;
  if (now === undefined) return `${what} is gone (was ${was})`;
  return `${what} changed: ${was} → ${now}`;
}

/** A part's text for people: lists as the words they are. */
function shown(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (value === '') return 'nothing';
  return clipped(value.startsWith('[') ? (listText(value) ?? value) : value);
}

/** undefined for a text that only begins as a list does. */
function listText(text: string): string | undefined {
  let list: readonly unknown[];
  try {
    list = JSON.parse(text) as readonly unknown[];
  } catch {
    return undefined;
  }
  const words = list.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)));
  return words.length === 0 ? 'nothing' : words.join(' ');
}

function quoted(value: string | undefined): string | undefined {
  return value === undefined ? undefined : clipped(value === maskedValue ? value : JSON.stringify(value));
}

function clipped(text: string): string {
  const line = text.replaceAll('\n', '⏎');
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}

function maskedNames(parts: KeyParts): readonly string[] {
  return [...variables(parts['environment'] ?? '[]')].flatMap(([name, value]) => (value === maskedValue ? [name] : []));
}
