import type { Fix, Position } from '../../dockerfile/index.ts';
import type { CheckedFile } from './checked-file.ts';

/** The rule under which a file that cannot be built is reported. */
const failure = 'InvalidDockerfile';

/** Findings as a SARIF 2.1.0 log, which code scanning services take in. */
export function sarifFindings(files: readonly CheckedFile[], { version }: { readonly version: string }): unknown {
  const rules = rulesOf(files);
  const indexes = new Map(rules.map(({ id }, index) => [id, index]));
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'slipway', semanticVersion: version, rules } },
        columnKind: 'utf16CodeUnits',
        artifacts: files.map(({ name }) => ({ location: { uri: uriOf(name) }, sourceLanguage: 'dockerfile' })),
        results: files.flatMap((file, index) => resultsOf(file, index, indexes)),
      },
    ],
  };
}

interface SarifRule {
  readonly id: string;
  readonly name: string;
  readonly shortDescription: { readonly text: string };
  readonly helpUri?: string;
  readonly defaultConfiguration: { readonly level: 'warning' | 'error' };
}

/** The rules that have findings, by name. */
function rulesOf(files: readonly CheckedFile[]): SarifRule[] {
  const found = new Map<string, SarifRule>();
  for (const { rule, description, url } of files.flatMap(({ report }) => report.findings)) {
    found.set(rule, {
      id: rule,
      name: rule,
      shortDescription: { text: description },
      ...(url?.startsWith('https:') === true ? { helpUri: url } : {}),
      defaultConfiguration: { level: 'warning' },
    });
  }
  if (files.some(({ report }) => report.error !== undefined)) {
    const shortDescription = { text: 'The Dockerfile cannot be built' };
    found.set(failure, { id: failure, name: failure, shortDescription, defaultConfiguration: { level: 'error' } });
  }
  return [...found.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function resultsOf({ name, text, report }: CheckedFile, index: number, rules: ReadonlyMap<string, number>): unknown[] {
  const artifactLocation = { uri: uriOf(name), index };
  // A byte order mark is no character of the text: neither columns nor offsets count it.
  const origin = text.startsWith('\ufeff') ? 1 : 0;
  const results = report.findings.map((finding) => ({
    ruleId: finding.rule,
    ruleIndex: rules.get(finding.rule),
    level: 'warning',
    message: { text: finding.message },
    locations: [{ physicalLocation: { artifactLocation, region: regionOf(finding) } }],
    ...(finding.fix === undefined ? {} : { fixes: [fixOf(finding.fix, artifactLocation, origin)] }),
  }));
  const { error } = report;
  if (error === undefined) return results;
  const region =
    error.position === undefined ? undefined : { startLine: error.position.line, startColumn: error.position.column };
  return [
    ...results,
    {
      ruleId: failure,
      ruleIndex: rules.get(failure),
      level: 'error',
      message: { text: error.message },
      locations: [{ physicalLocation: { artifactLocation, ...(region === undefined ? {} : { region }) } }],
    },
  ];
}

function regionOf({ start, end }: { readonly start: Position; readonly end: Position }): unknown {
  return { startLine: start.line, startColumn: start.column, endLine: end.line, endColumn: end.column };
}

/** Offsets count from `origin`. */
function fixOf({ title, edits }: Fix, artifactLocation: unknown, origin: number): unknown {
  const replacements = edits.map(({ start, end, text }) => ({
    deletedRegion: { charOffset: start - origin, charLength: end - start },
    insertedContent: { text },
  }));
  return { description: { text: title }, artifactChanges: [{ artifactLocation, replacements }] };
}

/** A relative path stays relative to where the log is read; what URIs cannot hold is encoded. */
function uriOf(name: string): string {
  const path = name === '-' ? 'Dockerfile' : name.replace(/^(?:\.\/)+/, '');
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return path.startsWith('/') ? `file://${encoded}` : encoded;
}
