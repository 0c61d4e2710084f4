import { once } from 'node:events';
import { resolve } from 'node:path';
import { boolean, string } from '@oclif/core/flags';
import { UsageError } from '../../errors.ts';
import { FaultPlan, openDiskStorage, readFaults, startRegistry } from '../../registry/index.ts';
import { Command, escapeControls } from '../../ui/index.ts';

export default class RegistryServe extends Command {
  static override summary = 'Serve a registry from a folder, over plain http, until it is interrupted';
  static override flags = {
    root: string({
      required: true,
      description: 'Folder that holds its content; made if it is not there',
      helpValue: 'DIR',
    }),
    addr: string({
      description: 'Address to listen on; port 0 takes a free one',
      default: '127.0.0.1:5000',
      helpValue: 'HOST:PORT',
    }),
    faults: string({
      description: 'Fault script: which requests are to fail and how, for tests of clients',
      helpValue: 'FILE',
    }),
    verbose: boolean({ description: 'Write a line for each request', default: false }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(RegistryServe);
    const { host, port } = parseAddress(flags.addr);
    const signal = this.interrupted;
    const root = resolve(flags.root);
    await using server = await startRegistry({
      storage: await openDiskStorage(root),
      host,
      port,
      faults: flags.faults === undefined ? undefined : await this.#faults(flags.faults),
      onError: (message) => this.note(escapeControls(message)),
      onRequest: ({ method, path, status, milliseconds }) => {
        if (flags.verbose) this.note(`${method} ${escapeControls(path)} ${status} ${milliseconds}ms`);
      },
    });
    if (!isLoopback(host))
      this.note('WARNING: there is no login: whoever reaches this address can read, write and delete.');
    this.print(`Serving ${root} at ${server.url}`);
    if (!signal.aborted) await once(signal, 'abort');
    // Being stopped is how a server ends well.
    process.exitCode = 0;
  }

  async #faults(path: string): Promise<FaultPlan> {
    return new FaultPlan(await readFaults(path), {
      onFault: ({ method, path: asked, operation, fault }) =>
        this.note(`FAULT ${fault.kind}: ${method} ${escapeControls(asked)} (${operation})`),
    });
  }
}

function parseAddress(address: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[^:[\]]*)):(?<port>\d{1,5})$/.exec(address);
  const port = Number(match?.groups?.['port']);
  if (match === null || port > 65_535) {
    throw new UsageError(`invalid address: '${address}'`, {
      hint: 'Addresses look like 127.0.0.1:5000, [::1]:5000 or :5000.',
    });
  }
  // As servers have it, `:5000` is every address of the machine.
  return { host: match.groups?.['v6'] ?? (match.groups?.['host'] || '0.0.0.0'), port };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
