import { once } from 'node:events';
import { boolean, string } from '@oclif/core/flags';
import { messageOf } from '../../errors.ts';
import type { FaultPlan, RegistryServer, ServedRequest } from '../../registry/index.ts';
import {
  accessLogFlag,
  Command,
  escapeControls,
  isLoopback,
  jsonFlag,
  listenFlags,
  listenSettings,
  openService,
  openStorage,
  ruleFlags,
  serverRules,
  serverTls,
  serviceFlags,
  storageFlags,
  type TlsValues,
} from '../../ui/index.ts';

export default class RegistryServe extends Command {
  static override summary = 'Serve a registry from a folder or from memory until it is interrupted';
  static override description =
    'Every endpoint of the OCI distribution specification 1.1, kept in a folder or in memory. The address stands on standard output once it answers. See docs/registry-server.md.';
  static override flags = {
    ...storageFlags,
    ...listenFlags,
    ...ruleFlags,
    ...serviceFlags,
    faults: string({
      description: 'Fault script: which requests are to fail and how, for tests of clients',
      helpValue: 'FILE',
    }),
    'access-log': accessLogFlag,
    verbose: boolean({ description: 'Write a short line for each request', default: false }),
    json: jsonFlag,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(RegistryServe);
    const { accessLogLine, startRegistry } = await import('../../registry/index.ts');
    const { host, port, drainTimeout } = listenSettings(flags);
    const signal = this.interrupted;
    const rules = serverRules(flags);
    const note = (message: string): void => this.note(escapeControls(message));
    const storage = await openStorage(flags, note);
    await using service = await openService(flags, { storage, warn: note });
    await using server = await startRegistry({
      ...rules,
      ...service.options,
      host,
      port,
      drainTimeout,
      faults: flags.faults === undefined ? undefined : await this.#faults(flags.faults),
      onError: note,
      onRequest: (served) => {
        if (flags['access-log'] !== undefined) note(accessLogLine(served, flags['access-log']));
        else if (flags.verbose) note(shortLine(served));
      },
    });
    if (!isLoopback(host) && !service.hasLogin)
      this.note('WARNING: there is no login: whoever reaches this address can read, write and delete.');
    if (!isLoopback(host) && service.hasLogin && service.options.tls === undefined)
      this.note('WARNING: passwords and tokens go over plain http; see --tls-cert.');
    const renew = (): void => void this.#renewTls(server, flags);
    process.on('SIGHUP', renew);
    const { url } = server;
    this.print(
      flags.json
        ? JSON.stringify({ url, host: server.host, storage: service.options.storage.description })
        : `Serving ${service.options.storage.description} at ${url}`,
    );
    if (!signal.aborted) await once(signal, 'abort');
    process.off('SIGHUP', renew);
    // Being stopped is how a server ends well.
    process.exitCode = 0;
  }

  async #renewTls(server: RegistryServer, flags: TlsValues): Promise<void> {
    try {
      const tls = await serverTls(flags);
      if (tls !== undefined) server.renewTls(tls);
    } catch (error) {
      this.note(`the certificate stays as it was: ${escapeControls(messageOf(error))}`);
    }
  }

  async #faults(path: string): Promise<FaultPlan> {
    const registry = await import('../../registry/index.ts');
    return new registry.FaultPlan(await registry.readFaults(path), {
      onFault: ({ method, path: asked, operation, fault }) =>
        this.note(`FAULT ${fault.kind}: ${method} ${escapeControls(asked)} (${operation})`),
    });
  }
}

function shortLine({ method, path, status, milliseconds }: ServedRequest): string {
  return `${method} ${path} ${status} ${Math.round(milliseconds)}ms`;
}
