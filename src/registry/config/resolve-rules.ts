import { isIP } from 'node:net';
import { bareHost, portOf } from './networks.ts';
import { misconfigured, quoted } from './place.ts';

/** Another address for a host and port, as `curl --resolve` has it. */
export interface AddressRule {
  readonly host: string;
  readonly port: string;
  readonly address: string;
  /** Port at that address; the same unless given. */
  readonly addressPort: string | undefined;
}

const pattern =
  /^(?<host>\[[^\]]+\]|[^:[\]]+):(?<port>\d{1,5}):(?<address>\[[^\]]+\]|[^[\]]+?)(?::(?<addressPort>\d{1,5}))?$/;

/**
 * Reads `HOST:PORT:ADDRESS[:PORT]`; IPv6 addresses in brackets, or bare where they stand last.
 * @throws RegistryError CONFIG
 */
export function parseAddressRule(text: string): AddressRule {
  const bare = /^(?<host>\[[^\]]+\]|[^:[\]]+):(?<port>\d{1,5}):(?<address>[0-9a-f:.]+)$/i.exec(text);
  const groups = isIP(bare?.groups?.address ?? '') !== 0 ? bare?.groups : pattern.exec(text)?.groups;
  const address = bareHost(groups?.address ?? '');
  if (groups === undefined || isIP(address) === 0 || [groups.port, groups.addressPort].some(tooLarge)) {
    throw misconfigured({ source: '--resolve' }, `${quoted(text)} is not HOST:PORT:ADDRESS`, {
      hint: 'Such as registry.example.com:443:127.0.0.1, or with another port: registry.example.com:443:127.0.0.1:5443.',
    });
  }
  return { host: bareHost(groups.host ?? ''), port: groups.port ?? '', address, addressPort: groups.addressPort };
}

function tooLarge(port: string | undefined): boolean {
  return port !== undefined && Number(port) > 65_535;
}

/** The rule for the host and port of a URL; the last one wins. */
export function addressRule(rules: readonly AddressRule[], url: URL): AddressRule | undefined {
  const [host, port] = [bareHost(url.hostname), portOf(url)];
  return rules.findLast((rule) => rule.host === host && rule.port === port);
}
