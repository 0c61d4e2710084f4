import { Command, compileTemplate, formatFlag, jsonFlag, readBuildInfo } from '../ui/index.ts';

export default class Version extends Command {
  static override summary = 'Show the version of Slipway and of what it runs on';
  static override flags = { format: formatFlag, json: jsonFlag };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Version);
    const { version, commit } = readBuildInfo(this.config.root);
    const arch = process.arch === 'x64' ? 'amd64' : process.arch;
    const client = {
      Version: version,
      GitCommit: commit,
      NodeVersion: process.versions.node,
      Os: process.platform,
      Arch: arch,
    };
    if (flags.json || flags.format === 'json') this.printJson({ Client: client });
    else if (flags.format !== undefined) this.print(compileTemplate(flags.format).render({ Client: client }));
    else this.print(describe(client));
  }
}

function describe(client: Readonly<Record<string, string>>): string {
  const lines = [
    ['Version:', client['Version']],
    ['Git commit:', client['GitCommit']],
    ['Node.js:', client['NodeVersion']],
    ['OS/Arch:', `${client['Os']}/${client['Arch']}`],
  ];
  return ['Slipway', ...lines.map(([label = '', value = '']) => ` ${label.padEnd(17)} ${value}`)].join('\n');
}
