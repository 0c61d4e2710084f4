import type { CopyCommand } from '../../instructions/command.ts';
import { imageStages } from '../stages/lineage.ts';
import type { FileRule } from '../subject.ts';

export const secretFileCopied: FileRule = {
  name: 'SecretFileCopied',
  description: 'Files that hold credentials should be mounted as secrets, not copied into a layer',
  url: 'docs/checks/secret-file-copied.md',
  *find(subject) {
    for (const { commands } of imageStages(subject)) {
      for (const { command, instruction } of commands) {
        if ((command.kind !== 'copy' && command.kind !== 'add') || command.from !== '') continue;
        const source = secretOf(command);
        if (source === undefined) continue;
        yield {
          message: `By its name ${source} holds credentials: whoever has the image has them`,
          range: instruction.range,
          comments: instruction.comments,
          part: { text: source },
        };
      }
    }
  },
};

function secretOf({ sources }: CopyCommand): string | undefined {
  return sources.find((source) => {
    const path = `/${source.toLowerCase().replace(/^\.?\//, '')}`;
    return secrets.some((pattern) => pattern.test(path)) && !innocent.test(path);
  });
}

const secrets: readonly RegExp[] = [
  /\/(?:[\w.-]+[_-])?id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?$/,
  /\.(?:p12|pfx|kdbx|ppk|jks)$/,
  /\/(?:[\w.-]*[_.-])?(?:private|priv|server|client|tls|ssl)?[_.-]?key\.pem$/,
  /\/(?:private|server|client|tls|ssl)\.(?:key|pem)$/,
  /\/\.env(?:\.(?:local|prod|production|staging|development|dev))?$/,
  /\/\.(?:npmrc|pypirc|netrc|git-credentials|pgpass|htpasswd|vault-token)$/,
  /\/\.aws\/(?:credentials|\*)?$/,
  /\/\.docker\/(?:config\.json)?$/,
  /\/\.dockerconfigjson$/,
  /\/(?:kubeconfig(?:\.ya?ml)?|\.kube\/(?:config)?)$/,
  /\/\.ssh\/?$/,
  /\/(?:[\w.-]*[_-])?credentials?\.(?:json|ya?ml|csv|ini)$/,
  /\/(?:gcp|gcloud|google|firebase)?[_-]?service[_-]?account(?:[_-]key)?[\w-]*\.json$/,
];

/** What only shows how such a file looks, or is for everybody. */
const innocent = /\.pub$|example|sample|template|dist$|dummy|test|fixture|mock|public/;
