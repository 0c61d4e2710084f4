import { isIP } from 'node:net';
import { RegistryError } from '../error.ts';
import { isLoopback, isPrivateAddress } from '../host.ts';

/**
 * Token servers on a domain other than their registry's; pairs of registry host and realm host.
 */
const knownPairs: ReadonlySet<string> = new Set(['nvcr.io authn.nvidia.com', 'registry-1.docker.io auth.docker.io']);

/** Domains below which strangers live side by side: a shared one says nothing (a part of publicsuffix.org). */
const sharedSuffixes: ReadonlySet<string> = new Set(
  (
    'amazonaws.com amazonaws.com.cn on.aws azurecr.io azurewebsites.net cloudapp.net windows.net cloudfront.net github.io gitlab.io ' +
    'githubusercontent.com herokuapp.com web.app firebaseapp.com run.app pkg.dev appspot.com pages.dev workers.dev r2.dev fly.dev ' +
    'vercel.app netlify.app onrender.com ngrok.io ngrok.app ngrok-free.app trycloudflare.com duckdns.org no-ip.org dyndns.org nip.io ' +
    'sslip.io cloudapp.azure.com azurefd.net azurestaticapps.net azurecontainer.io elasticbeanstalk.com awsapprunner.com ' +
    'googleusercontent.com cloudfunctions.net oraclecloud.com ondigitalocean.app digitaloceanspaces.com railway.app deno.dev ' +
    'linodeusercontent.com scw.cloud ngrok.dev loca.lt ts.net local internal'
  ).split(' '),
);

export interface RealmCheck {
  /** Where the registry answers. */
  readonly registry: URL;
  readonly realm: string;
  /** False for anonymous tokens, which may come from any public place. */
  readonly sendsCredential: boolean;
  /** Further hosts (`auth.example.com`, with port if not the scheme's own) the user trusts. */
  readonly trusted?: readonly string[] | undefined;
}

/**
 * The token server of a challenge, if it may be given the user's credential. A registry chooses its realm freely, so
 * one that is broken into, or a name typed wrongly, could send the password anywhere (GHSA-xf85-363p-868w; crane,
 * skopeo and podman send it).
 * @throws RegistryError REALM_REFUSED, BAD_RESPONSE
 */
export function checkRealm(check: RealmCheck): URL {
  const { registry } = check;
  const realm = URL.parse(check.realm);
  if (realm === null || (realm.protocol !== 'https:' && realm.protocol !== 'http:') || realm.username !== '') {
    throw new RegistryError('BAD_RESPONSE', `${registry.host} names a token server that is not an http URL`);
  }
  realm.hash = '';
  const trusted = check.trusted?.some((host) => host.toLowerCase() === realm.host);
  // who trusts a host does not mean all on the way to it
  const isBare = check.sendsCredential && realm.protocol === 'http:' && registry.protocol === 'https:';
  if (trusted && !isBare) return realm;
  if (!check.sendsCredential) return publicRealm(registry, realm);
  const why = objection(registry, realm);
  if (why === undefined) return realm;
  throw new RegistryError(
    'REALM_REFUSED',
    `the credential for ${registry.host} is not sent to ${realm.origin}: ${why}`,
    {
      hint: isBare ? undefined : `If that token server belongs to the registry, name it: --trust-realm ${realm.host}`,
    },
  );
}

/** A registry on the net must not make us ask what only answers inside our own network, such as a cloud's metadata service. */
function publicRealm(registry: URL, realm: URL): URL {
  const isInside = isPrivateAddress(realm.hostname) || isLoopback(realm.hostname);
  const registryIsInside = isPrivateAddress(registry.hostname) || isLoopback(registry.hostname);
  if (!isInside || registryIsInside || realm.hostname === registry.hostname) return realm;
  throw new RegistryError(
    'REALM_REFUSED',
    `${registry.host} names ${realm.origin} as its token server: an address inside some network`,
    {
      hint: `If that token server belongs to the registry, name it: --trust-realm ${realm.host}`,
    },
  );
}

function objection(registry: URL, realm: URL): string | undefined {
  const sameHost = registry.hostname === realm.hostname;
  const bothLoopback = isLoopback(registry.hostname) && isLoopback(realm.hostname);
  if (realm.protocol === 'http:' && (registry.protocol === 'https:' || !(sameHost || bothLoopback))) {
    return 'it would go over plain http';
  }
  if (sameHost || bothLoopback) return undefined;
  if (isPrivateAddress(realm.hostname) || isLoopback(realm.hostname)) return 'it is an address inside some network';
  if (knownPairs.has(`${registry.hostname} ${realm.hostname}`)) return undefined;
  return sharesDomain(registry.hostname, realm.hostname) ? undefined : 'it belongs to another domain';
}

/**
 * True for hosts below one registered domain. Without the whole public suffix list we look at two labels, three where
 * the last two look like `co.uk`, and never at the suffixes of large hosters.
 */
function sharesDomain(a: string, b: string): boolean {
  const domain = registeredDomain(a);
  return domain !== undefined && domain === registeredDomain(b);
}

function registeredDomain(hostname: string): string | undefined {
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return undefined;
  const labels = hostname.replace(/\.$/, '').split('.');
  const [second = '', top = ''] = labels.slice(-2);
  const suffixLabels = top.length === 2 && second.length <= 3 ? 3 : 2;
  if (labels.length < suffixLabels) return undefined;
  const domain = labels.slice(-suffixLabels).join('.');
  return [...sharedSuffixes].some((suffix) => domain === suffix || suffix.endsWith(`.${domain}`)) ||
    sharedSuffixes.has(labels.slice(-2).join('.'))
    ? undefined
    : domain;
}
