import { string as argument } from '@oclif/core/args';
import { boolean, option, string } from '@oclif/core/flags';
import { type CheckedDockerfile, checkDockerfile, type CheckRequest, mendDockerfile } from '../build/index.ts';
import { buildkitRules, didYouMean, ownRules } from '../dockerfile/index.ts';
import { UsageError } from '../errors.ts';
import { parsePlatform } from '../oci/index.ts';
import { currentPrivileges } from '../system/index.ts';
import {
  Command,
  defaultDockerfile,
  escapeControls,
  type FindingsFormat,
  findingsFormats,
  formatFindings,
  jsonFlag,
  listFlag,
  namedValues,
  platformFlag,
  readBuildInfo,
  rewriteFile,
} from '../ui/index.ts';

export default class Check extends Command {
  static override summary = 'Check Dockerfiles for mistakes, without building';
  static override args = {
    files: argument({ multiple: true, description: 'Dockerfiles, or - for standard input; Dockerfile unless given' }),
  };
  static override flags = {
    format: option({ options: findingsFormats, description: 'Form of the findings', default: 'human' })(),
    json: jsonFlag,
    error: boolean({ description: 'Exit with status 1 where anything is found', default: false }),
    fix: boolean({ description: 'Mend what can be mended, and show the rest', default: false }),
    rules: option({
      options: ['all', 'docker'] as const,
      description: "Which rules are asked: all, or only those of docker's own checks",
      default: 'all',
    })(),
    skip: listFlag({ description: 'A rule that is not asked', helpValue: 'RULE' }),
    context: string({ description: 'Folder whose .dockerignore counts; the one of the Dockerfile', helpValue: 'PATH' }),
    'build-arg': listFlag({ description: 'Value of an ARG', helpValue: 'NAME[=VALUE]' }),
    target: string({ description: 'Check only what this stage needs', helpValue: 'STAGE' }),
    platform: platformFlag,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Check);
    const { files: named = [] } = args;
    if (flags.json && flags.format !== 'human' && flags.format !== 'json') {
      throw new UsageError(`--json and --format ${flags.format} cannot be used together`);
    }
    const skip = skippedRules(flags.skip ?? []);
    const requests = (named.length === 0 ? [defaultDockerfile()] : named).map((file) => ({
      file,
      context: flags.context,
      stdin: process.stdin,
      buildArgs: namedValues('build-arg', flags['build-arg'], { environment: process.env }),
      target: flags.target,
      platform: flags.platform === undefined ? undefined : parsePlatform(flags.platform),
      rules: flags.rules === 'all' ? ownRules : [],
      skip,
    }));
    const checked: CheckedDockerfile[] = [];
    const failures: unknown[] = [];
    for (const request of requests) {
      this.interrupted.throwIfAborted();
      try {
        checked.push(flags.fix ? await this.#mend(request) : await checkDockerfile(request, currentPrivileges()));
      } catch (error) {
        failures.push(error);
      }
    }
    // The mended text of standard input is the result then.
    const stream = flags.fix && named.includes('-') ? process.stderr : process.stdout;
    if (checked.length > 0) stream.write(this.#report(checked, flags));
    if (checked.some(({ report }) => isFailure(report, flags.error))) process.exitCode = 1;
    this.throwAll(failures);
  }

  #report(checked: readonly CheckedDockerfile[], flags: { format: FindingsFormat; json: boolean }): string {
    const { version } = readBuildInfo(this.config.root);
    const text = formatFindings(checked, { format: flags.json ? 'json' : flags.format, version });
    return text.endsWith('\n') || text === '' ? text : `${text}\n`;
  }

  async #mend(request: CheckRequest): Promise<CheckedDockerfile> {
    const file = await mendDockerfile(request, currentPrivileges());
    if (file.path === undefined) process.stdout.write(file.bytes);
    else if (file.mended > 0) await rewriteFile(file.path, file.bytes);
    if (file.mended > 0) this.note(`${escapeControls(file.name)}: ${file.mended} mended`);
    return file;
  }
}

/** The rules that `--skip` names, with commas or one by one. */
function skippedRules(values: readonly string[]): string[] {
  const known = ['all', ...Object.keys(buildkitRules), ...ownRules.map(({ name }) => name)];
  const skipped = values.flatMap((value) => value.split(','));
  for (const name of skipped) {
    if (known.includes(name)) continue;
    throw new UsageError(`--skip: there is no rule "${name}"${didYouMean(name, known)}`);
  }
  return skipped;
}

function isFailure({ error, findings, failOnFindings }: CheckedDockerfile['report'], strict: boolean): boolean {
  return error !== undefined || (findings.length > 0 && (strict || failOnFindings));
}
