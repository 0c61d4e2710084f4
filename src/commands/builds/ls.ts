import { BuildHistory, storeRoot } from '../../build/index.ts';
import {
  buildColumns,
  buildFilter,
  buildHeads,
  buildRow,
  formatList,
  jsonFlag,
  listFlag,
  listFormatFlag,
  quietFlag,
  StoreCommand,
} from '../../ui/index.ts';

export default class BuildsLs extends StoreCommand {
  static override summary = 'List the builds that the store remembers, newest first';
  static override flags = {
    filter: listFlag({
      char: 'f',
      description: 'status=completed|error|canceled|running|interrupted, name=PART',
      helpValue: 'KEY=VALUE',
    }),
    quiet: quietFlag,
    format: listFormatFlag,
    json: jsonFlag,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(BuildsLs);
    const wanted = buildFilter(flags.filter ?? []);
    const records = (await new BuildHistory(storeRoot(this.privileges)).list()).filter(wanted);
    if (flags.json) return this.printJson(records.map(({ process: _, ...record }) => record));
    if (flags.quiet) return this.print(records.map(({ id }) => `${id}\n`).join(''));
    const rows = records.map((record) => buildRow(record));
    this.print(formatList(rows, { heads: buildHeads, columns: buildColumns, format: flags.format }));
  }
}
