import { type AddSource, type CopySource, type GitUrl, parseGitUrl, type Step } from '../../dockerfile/index.ts';
import { formatReference, isDigest, parseReference } from '../../oci/index.ts';
import { isCommit } from '../contexts/git/resolve-ref.ts';
import { BuildError } from '../error.ts';
import { evaluate, type PolicedSource } from './evaluate.ts';
import type { SourcePolicy } from './source-policy.ts';

const imageScheme = 'docker-image://';
const checksumAttribute = 'http.checksum';

export interface Policing {
  readonly policy: SourcePolicy;
  /** Everything must be pinned: images by digest, downloads by checksum, repositories by commit. */
  readonly locked: boolean;
}

/** An image as policies name it: with registry, and a tag unless it has a digest. */
export function imageIdentifier(name: string): string {
  return `${imageScheme}${formatReference(parseReference(name))}`;
}

/** A repository as policies name it: whatever it is fetched by, and without credentials. */
export function gitIdentifier({ remote, ref, subdir }: Pick<GitUrl, 'remote' | 'ref' | 'subdir'>): string {
  const place = remote
    .replace(/^[a-z]+:\/\//, '')
    .replace(/^[^@/]*@/, '')
    .replace(/^([^/:]+):(?!\d)/, '$1/');
  const fragment = [ref, subdir].join(':').replace(/:$/, '');
  return `git://${place}${fragment === '' ? '' : `#${fragment}`}`;
}

/**
 * The image that is to be used for one.
 * @throws BuildError SOURCE_DENIED, NOT_LOCKED, POLICY_INVALID
 */
export function policedImage(name: string, { policy, locked }: Policing): string {
  const found = evaluate(policy, { identifier: imageIdentifier(name), attributes: {} });
  if (!found.identifier.startsWith(imageScheme)) throw notAlike(imageIdentifier(name), found);
  const image = found.identifier.slice(imageScheme.length);
  if (locked && parseReference(image).digest === undefined) throw notLocked(`the image ${name}`);
  return found.identifier === imageIdentifier(name) ? name : image;
}

/**
 * Steps with the sources that are to be used for theirs.
 * @throws BuildError SOURCE_DENIED, NOT_LOCKED, POLICY_INVALID
 */
export function policedSteps(steps: readonly Step[], policing: Policing): readonly Step[] {
  return steps.map((step) =>
    step.kind === 'copy' ? { ...step, sources: step.sources.map((source) => policedSource(source, policing)) } : step,
  );
}

function policedSource(source: CopySource, policing: Policing): CopySource {
  if (source.kind === 'url') return policedUrl(source, policing);
  return source.kind === 'git' ? policedGit(source, policing) : source;
}

function policedUrl(source: AddSource & { kind: 'url' }, { policy, locked }: Policing): CopySource {
  const attributes = source.checksum === undefined ? {} : { [checksumAttribute]: source.checksum };
  const found = evaluate(policy, { identifier: source.url, attributes });
  if (!/^https?:\/\//.test(found.identifier)) throw notAlike(source.url, found);
  const checksum = found.attributes[checksumAttribute];
  if (checksum !== undefined && !isDigest(checksum)) throw badPin(checksum);
  if (locked && checksum === undefined) throw notLocked(source.url);
  if (locked && checksum !== (source.checksum ?? checksum)) throw otherChecksum(source.url);
  return { kind: 'url', url: found.identifier, ...(checksum === undefined ? {} : { checksum }) };
}

function policedGit(source: AddSource & { kind: 'git' }, { policy, locked }: Policing): CopySource {
  const url = parseGitUrl(source.url);
  if (url === undefined) throw new Error(`${source.url} was a git URL in the graph`);
  const identifier = gitIdentifier(url);
  const found = evaluate(policy, { identifier, attributes: {} });
  const { place, ref, subdir } = parseGitIdentifier(found);
  if (place !== parseGitIdentifier({ identifier, attributes: {} }).place || subdir !== url.subdir)
    throw notAlike(identifier, found);
  const isPinned = isCommit(ref) || isCommit(source.checksum ?? url.checksum ?? '');
  if (locked && !isPinned) throw notLocked(identifier);
  return found.identifier === identifier
    ? source
    : { ...source, url: withRef(source.url, ref), checksum: source.checksum ?? ref };
}

/** Only which state is meant is changed: who names a repository says how it is reached, and what is taken of it. */
function withRef(source: string, ref: string): string {
  const [place = '', fragment = ''] = source.split('#', 2);
  const [base = '', query = ''] = place.split('?', 2);
  const parameters = new URLSearchParams(query);
  for (const name of ['ref', 'branch', 'tag']) parameters.delete(name);
  const subdir = fragment.includes(':') ? fragment.slice(fragment.indexOf(':')) : '';
  return `${base}${parameters.size === 0 ? '' : `?${parameters.toString()}`}#${ref}${subdir}`;
}

function parseGitIdentifier({ identifier }: PolicedSource): { place: string; ref: string; subdir: string } {
  const [place = '', fragment = ''] = identifier.split('#', 2);
  const colon = fragment.indexOf(':');
  const [ref, subdir] = colon < 0 ? [fragment, ''] : [fragment.slice(0, colon), fragment.slice(colon + 1)];
  return { place, ref, subdir };
}

function notLocked(what: string): BuildError {
  return new BuildError('NOT_LOCKED', `${what} is not in the lock file`, {
    hint: '`slipway lock` adds what is missing, `slipway lock --update` moves what is there',
  });
}

function otherChecksum(url: string): BuildError {
  return new BuildError('NOT_LOCKED', `${url} has another checksum in the Dockerfile than in the lock file`, {
    hint: '`slipway lock` writes the lock file anew',
  });
}

function notAlike(from: string, { identifier }: PolicedSource): BuildError {
  return new BuildError('POLICY_INVALID', `the source policy makes ${identifier} of ${from}: these are not alike`, {
    exitCode: 125,
  });
}

function badPin(pin: string): BuildError {
  return new BuildError('POLICY_INVALID', `the source policy has a checksum that is none: ${pin}`, { exitCode: 125 });
}
