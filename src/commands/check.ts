import { string as argument } from '@oclif/core/args';
import { boolean, option, string } from '@oclif/core/flags';
import { type CheckedDockerfile, checkDockerfile } from '../build/index.ts';
import { parsePlatform } from '../oci/index.ts';
import { currentPrivileges } from '../system/index.ts';
import {
  Command,
  findingsFormats,
  formatFindings,
  jsonFlag,
  listFlag,
  namedValues,
  platformFlag,
  readBuildInfo,
} from '../ui/index.ts';

export default class Check extends Command {
  static override summary = 'Check Dockerfiles for mistakes, without building';
  static override strict = false;
  static override args = {
    file: argument({ multiple: true, description: 'Dockerfiles, or - for standard input; Dockerfile unless given' }),
  };
  static override flags = {
    format: option({ options: findingsFormats, description: 'Form of the findings', default: 'human' })(),
    json: jsonFlag,
    error: boolean({ description: 'Exit with status 1 where anything is found', default: false }),
    context: string({ description: 'Folder whose .dockerignore counts; the one of the Dockerfile', helpValue: 'PATH' }),
    'build-arg': listFlag({ description: 'Value of an ARG', helpValue: 'NAME[=VALUE]' }),
    target: string({ description: 'Check only what this stage needs', helpValue: 'STAGE' }),
    platform: platformFlag,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Check);
    const request = {
      context: flags.context,
      stdin: process.stdin,
      buildArgs: namedValues('build-arg', flags['build-arg'], { environment: process.env }),
      target: flags.target,
      platform: flags.platform === undefined ? undefined : parsePlatform(flags.platform),
    };
    const { file: named = [] } = args;
    const checked: CheckedDockerfile[] = [];
    for (const file of named.length === 0 ? ['Dockerfile'] : named)
      checked.push(await checkDockerfile({ ...request, file }, currentPrivileges()));
    const { version } = readBuildInfo(this.config.root);
    this.print(formatFindings(checked, { format: flags.json ? 'json' : flags.format, version }));
    if (checked.some(({ report }) => isFailure(report, flags.error))) process.exitCode = 1;
  }
}

function isFailure({ error, findings, failOnFindings }: CheckedDockerfile['report'], strict: boolean): boolean {
  return error !== undefined || (findings.length > 0 && (strict || failOnFindings));
}
