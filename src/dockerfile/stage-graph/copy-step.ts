import { isDigest } from '../../oci/index.ts';
import { DockerfileError, inPart } from '../error.ts';
import { expand } from '../expand.ts';
import type { CopySource, CopyStep } from '../graph.ts';
import type { CopyCommand, InlineFile } from '../instructions/command.ts';
import { buildkitRules } from '../checks/buildkit-rules.ts';
import { hideCredentials } from '../hide-credentials.ts';
import { quote } from '../quote.ts';
import { addStep, checkVariables, expandIn, report, type Scope, stepBase, stepTitle, treeSource } from './builder.ts';
import { parseFileMode } from '../file-mode.ts';
import { parseGitUrl } from '../git-url.ts';
import { gitSource, isUrlSource } from './git-source.ts';
import { checkInlineName } from './inline-name.ts';
import { cleanPath, destinationPath, sourcePath } from './paths.ts';
import type { PlannedCommand } from './plan.ts';
import { commit, workdirOf } from './stage-state.ts';

/** A COPY or ADD with its variables expanded. */
type Expanded = Pick<CopyCommand, 'sources' | 'destination' | 'chown' | 'chmod' | 'checksum' | 'exclude'>;

/** Adds the step of a COPY or ADD. */
export function addCopy(scope: Scope, command: CopyCommand, planned: PlannedCommand): void {
  const { builder, state } = scope;
  const { escape } = builder.plan.ast;
  const expanded = expandCopy(scope, command);
  const { chmod, chown, checksum } = expanded;
  if (chmod !== '') inPart({ flag: 'chmod' }, () => parseFileMode(chmod));
  const link = command.link && chmod === ''; // as BuildKit: with --chmod the copy is an ordinary one
  if (link) inPart({ flag: 'chown' }, () => checkLinkOwner(chown));
  if (checksum !== '') inPart({ flag: 'checksum' }, () => checkChecksum(expanded));
  const title = stepTitle(scope, command.line, { escape, triggered: planned.triggered });
  const paths = expanded.sources.map((source, index) =>
    inPart({ text: command.sources[index] ?? '' }, () => copySource(scope, source, { command, expanded, planned })),
  );
  const files = command.files.map((file) => inlineSource(scope, file));
  const step = addStep(builder, {
    kind: 'copy',
    ...stepBase(scope, title, command.range),
    input: state.tip,
    sources: [...paths, ...files],
    destination: destinationPath(workdirOf(state), expanded.destination),
    ...(chown === '' ? {} : { owner: chown }),
    ...(chmod === '' ? {} : { mode: chmod }),
    link,
    parents: command.parents,
    exclude: expanded.exclude,
    unpack: unpackOf(command),
  });
  commit(state, { createdBy: `${historyText(command, expanded)} # buildkit`, step });
}

function expandCopy(scope: Scope, command: CopyCommand): Expanded {
  const value = (text: string) => expandIn(scope, text);
  return {
    chown: value(command.chown),
    chmod: value(command.chmod),
    checksum: value(command.checksum),
    sources: command.sources.map(value),
    destination: value(command.destination),
    // A pattern's own escapes stay where it has no variable.
    exclude: command.exclude.map((pattern) => (pattern.includes('$') ? value(pattern) : pattern.toWellFormed())),
  };
}

/** What is linked must not depend on what is below, so neither on the names of its users. */
function checkLinkOwner(owner: string): void {
  if (/^\d*(?::\d*)?$/.test(owner)) return;
  throw new DockerfileError('INVALID_ARGUMENT', `--link knows no names, only numbers: --chown=${owner}`, {
    hint: 'write the ids as numbers, or leave out --link',
  });
}

function checkChecksum({ sources }: Expanded): void {
  const [source, ...more] = sources;
  if (source === undefined || more.length > 0) throw invalid("checksum can't be specified for multiple sources");
  if (!isUrlSource(source) && parseGitUrl(source) === undefined) {
    throw invalid('checksum requires HTTP(S) or Git sources');
  }
}

function unpackOf({ kind, unpack }: CopyCommand): CopyStep['unpack'] {
  if (kind === 'copy' || unpack === false) return 'never';
  return unpack === true ? 'always' : 'auto';
}

interface CopyDetails {
  readonly command: CopyCommand;
  readonly expanded: Expanded;
  readonly planned: PlannedCommand;
}

function copySource(scope: Scope, source: string, { command, expanded, planned }: CopyDetails): CopySource {
  const git = parseGitUrl(source);
  if (git !== undefined) {
    if (command.kind === 'copy') throw invalid("source can't be a git ref for COPY");
    return gitSource(source, git, { keepGitDir: command.keepGitDir, checksum: expanded.checksum });
  }
  if (isUrlSource(source)) {
    if (command.kind === 'copy') throw invalid("source can't be a URL for COPY");
    if (expanded.checksum === '') return { kind: 'url', url: source };
    if (!isDigest(expanded.checksum)) throw invalid(`invalid checksum digest format: ${quote(expanded.checksum)}`);
    return { kind: 'url', url: source, checksum: expanded.checksum };
  }
  if (planned.sources[0] === undefined) checkIgnored(scope, source, command);
  const from = treeSource(
    scope,
    planned.sources[0],
    () =>
      `cannot copy from stage ${quote(command.from)}, it needs to be defined before current stage ${quote(scope.stage.label)}`,
  );
  return { kind: 'path', from, path: sourcePath(source, { parents: command.parents }) };
}

/** Characters beyond which a source is no path that any file has. */
const maxPath = 4096;

/** A source that .dockerignore keeps from the build. The root is one only where everything is kept away. */
function checkIgnored(scope: Scope, written: string, { kind }: CopyCommand): void {
  const { ignored } = scope.builder;
  if (ignored === undefined || !ignored.mayAsk()) return;
  if (written.length > maxPath) return;
  const path = cleanPath(written);
  const hit = path === '.' || path === '/' ? ignored.all : ignored.matcher.matches(path.replace(/^\/+/, ''));
  const rule = buildkitRules.CopyIgnoredFile;
  if (hit) report(scope, rule, rule.message(kind === 'add' ? 'Add' : 'Copy', path), { text: written });
}

function inlineSource(scope: Scope, { name, content, expand }: InlineFile): CopySource {
  const text = expand ? expandBody(scope, content) : content;
  return { kind: 'inline', name: checkInlineName(name), content: text };
}

/** Quotes are plain characters in a heredoc, and its escape is always `\\`; bytes that are no UTF-8 stay. */
function expandBody(scope: Scope, content: string): string {
  const { text, unmatched } = expand(content, scope.state.env, { quotes: 'ignore', limit: 64 << 20 });
  scope.builder.budget.spend(text.length);
  checkVariables(scope, unmatched);
  return text;
}

function historyText({ kind, parents, files }: CopyCommand, { chown, chmod, sources, destination }: Expanded): string {
  return [
    kind.toUpperCase(),
    ...(parents ? ['--parents'] : []),
    ...(chown === '' ? [] : [`--chown=${chown}`]),
    ...(chmod === '' ? [] : [`--chmod=${chmod}`]),
    ...sources.map(hideCredentials),
    ...files.map(({ name }) => `<<${name}`),
    destination,
  ].join(' ');
}

function invalid(message: string): DockerfileError {
  return new DockerfileError('INVALID_ARGUMENT', message);
}
