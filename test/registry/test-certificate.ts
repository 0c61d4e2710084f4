import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestCertificate {
  readonly folder: string;
  /** Files in the folder. */
  readonly cert: string;
  readonly key: string;
  readonly pem: { readonly cert: Buffer; readonly key: Buffer };
  close(): void;
}

/** A certificate that vouches for itself, for `localhost` and 127.0.0.1, in a folder of its own. */
export function testCertificate(): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-certificate-'));
  const cert = join(folder, 'ca.crt');
  const key = join(folder, 'key.pem');
  openssl(
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', cert],
  );
  const pem = { cert: readFileSync(cert), key: readFileSync(key) };
  return { folder, cert, key, pem, close: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A certificate that `issuer` has signed, beside it in its folder. */
export function signedCertificate(
  issuer: TestCertificate,
  name: string,
): Pick<TestCertificate, 'cert' | 'key' | 'pem'> {
  const [cert, key, request, extensions] = ['crt', 'key', 'csr', 'ext'].map((end) =>
    join(issuer.folder, `${name}.${end}`),
  ) as [string, string, string, string];
  writeFileSync(extensions, 'basicConstraints=CA:FALSE\n');
  openssl([
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    key,
    '-out',
    request,
  ]);
  openssl([
    'x509',
    '-req',
    '-in',
    request,
    '-CA',
    issuer.cert,
    '-CAkey',
    issuer.key,
    '-days',
    '2',
    '-extfile',
    extensions,
    '-out',
    cert,
  ]);
  return { cert, key, pem: { cert: readFileSync(cert), key: readFileSync(key) } };
}

function openssl(...args: readonly (readonly string[])[]): void {
  execFileSync('openssl', args.flat(), { stdio: 'ignore' });
}
