/** One registry of Amazon ECR, as its host name says. */
export type EcrHost = EcrPrivate | EcrPublic;

export interface EcrPrivate {
  readonly kind: 'private';
  /** Twelve digits: the registry is the account's. */
  readonly account: string;
  /** Where its API is asked, whatever region the user's own settings name. */
  readonly region: string;
  /** The endpoints of FIPS 140. */
  readonly fips: boolean;
}

export interface EcrPublic {
  readonly kind: 'public';
  /** Its API is in one region only. */
  readonly region: 'us-east-1';
}

/** The domains of all partitions: commercial, China, Europe, dual-stack, and those of governments. */
const domains = [
  'amazonaws.com',
  'amazonaws.com.cn',
  'amazonaws.eu',
  'on.aws',
  'on.amazonwebservices.com.cn',
  'c2s.ic.gov',
  'sc2s.sgov.gov',
  'cloud.adc-e.uk',
  'csp.hci.ic.gov',
];

const privateHost = new RegExp(
  String.raw`^(\d{12})\.dkr[.-]ecr(-fips)?\.([a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?)\.(?:${domains.map((domain) => domain.replaceAll('.', String.raw`\.`)).join('|')})$`,
);

const publicHosts = new Set(['public.ecr.aws', 'ecr-public.aws.com']);

/** undefined for hosts of others. The whole name must fit: AWS credentials are never used for what only looks like Amazon's. */
export function ecrHost(host: string): EcrHost | undefined {
  const name = host.toLowerCase();
  if (publicHosts.has(name)) return { kind: 'public', region: 'us-east-1' };
  const [, account, fips, region] = privateHost.exec(name) ?? [];
  if (account === undefined || region === undefined) return undefined;
  return { kind: 'private', account, region, fips: fips !== undefined };
}
