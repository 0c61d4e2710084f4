import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A key with its certificate, in PEM files. */
export interface Issued {
  readonly certificate: string;
  readonly key: string;
}

/** An authority of a test, made by openssl. */
export interface TestAuthority {
  readonly certificate: string;
  issue(name: string, alternatives?: string): Promise<Issued>;
}

/** Makes an authority whose files stand in `folder`. */
export async function testAuthority(folder: string, name = 'authority'): Promise<TestAuthority> {
  const path = (file: string): string => join(folder, file);
  const openssl = async (...args: string[]): Promise<void> => void (await run('openssl', args));
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const [certificate, caKey] = [path(`${name}.crt`), path(`${name}.key`)];
  await openssl('req', '-x509', ...key, '-keyout', caKey, '-out', certificate, '-subj', `/CN=${name}`, '-days', '2');
  const issue = async (subject: string, alternatives?: string): Promise<Issued> => {
    const files = { certificate: path(`${subject}.cert`), key: path(`${subject}.key`) };
    const [request, extensions] = [path(`${subject}.csr`), path(`${subject}.ext`)];
    await writeFile(extensions, alternatives === undefined ? '' : `subjectAltName=${alternatives}\n`);
    await openssl('req', ...key, '-keyout', files.key, '-out', request, '-subj', `/CN=${subject}`);
    const signing = ['-CA', certificate, '-CAkey', caKey, '-CAcreateserial', '-days', '2'];
    await openssl('x509', '-req', '-in', request, '-out', files.certificate, '-extfile', extensions, ...signing);
    return files;
  };
  return { certificate, issue };
}

/** The contents of the files of a certificate, as a server takes them. */
export async function identity({ certificate, key }: Issued): Promise<{ readonly cert: Buffer; readonly key: Buffer }> {
  return { cert: await readFile(certificate), key: await readFile(key) };
}
