import { addInsteadOfCopy } from '../../../src/dockerfile/checks/own/add-instead-of-copy.ts';
import { cleanupInLaterLayer } from '../../../src/dockerfile/checks/own/cleanup-in-later-layer.ts';
import { copyBeforeDependencyInstall } from '../../../src/dockerfile/checks/own/copy-before-dependency-install.ts';
import { copyThenChown } from '../../../src/dockerfile/checks/own/copy-then-chown.ts';
import { secretFileCopied } from '../../../src/dockerfile/checks/own/secret-file-copied.ts';
import { describeRule } from './rule-cases.ts';

describeRule(addInsteadOfCopy, {
  finds: [
    ['a file', 'FROM a\n«ADD» b.json /c'],
    ['a file without ending', 'FROM a\n«ADD» Makefile /c'],
    ['a hidden file', 'FROM a\n«ADD» .bashrc /root/'],
    ['a folder', 'FROM a\n«ADD» src/ /src'],
    ['the context', 'FROM a\n«ADD» . /src'],
    ['several files', 'FROM a\n«ADD» b.py c.py /d/'],
    ['a pattern for files', 'FROM a\n«ADD» *.py /d/'],
    ['a variable in the name', 'FROM a\nARG V\n«ADD» b-${V}.jar /d/'],
    ['JSON', 'FROM a\n«ADD» ["b c.txt", "/d"]'],
    ['a heredoc', 'FROM a\n«ADD» <<E /b\nc\nE'],
    ['COPY’s flags', 'FROM a\n«ADD» --chown=1:2 --chmod=644 b.txt /c'],
  ],
  ignores: [
    ['COPY', 'FROM a\nCOPY b.json /c'],
    ['a download', 'FROM a\nADD https://example.com/b.json /c'],
    ['a repository', 'FROM a\nADD https://example.com/b.git /c\nADD git@example.com:b/c.git /d'],
    ['archives', 'FROM a\nADD b.tar c.tar.gz d.tgz e.tar.xz f.tbz2 g.zst /d/'],
    ['an archive among files', 'FROM a\nADD b.txt c.tgz /d/'],
    ['a pattern for anything', 'FROM a\nADD b* /d/'],
    ['a variable as the source', 'FROM a\nARG B\nADD $B /d/'],
    ['a variable as the ending', 'FROM a\nARG B\nADD b.$B /d/'],
    ['a version as the ending', 'FROM a\nADD rootfs-1.2 /'],
    ['unpacking that is asked for', 'FROM a\nADD --unpack=true b.dat /d/'],
  ],
  fixes: [
    ['a keyword in upper case', 'FROM a\nADD --link b.txt /c', 'FROM a\nCOPY --link b.txt /c'],
    ['a keyword in lower case', 'from a\nadd b.txt /c', 'from a\ncopy b.txt /c'],
    ['a keyword over lines', 'FROM a\n  ADD \\\n  b.txt /c', 'FROM a\n  COPY \\\n  b.txt /c'],
  ],
});

describeRule(secretFileCopied, {
  finds: [
    ['a private key', 'FROM a\nCOPY «id_rsa» /root/.ssh/'],
    ['one in a folder', 'FROM a\nCOPY b «keys/deploy_id_ed25519» /c/'],
    ['a server’s key', 'FROM a\nCOPY «tls/server.key» /c/'],
    ['a key as pem', 'FROM a\nCOPY «private-key.pem» /c/'],
    ['a key store', 'FROM a\nCOPY «b.p12» /c/'],
    ['.env', 'FROM a\nCOPY «.env» /c/'],
    ['.env of production', 'FROM a\nADD «./.env.production» /c/'],
    ['.npmrc', 'FROM a\nCOPY package.json «.npmrc» ./'],
    ['.netrc', 'FROM a\nCOPY «.netrc» /root/'],
    ['.git-credentials', 'FROM a\nCOPY «.git-credentials» /root/'],
    ['AWS’s credentials', 'FROM a\nCOPY «.aws/credentials» /root/.aws/'],
    ['docker’s credentials', 'FROM a\nCOPY «.docker/config.json» /root/.docker/'],
    ['a service account', 'FROM a\nCOPY «service-account-prod.json» /c/'],
    ['credentials.json', 'FROM a\nCOPY «credentials.json» /c/'],
    ['a kubeconfig', 'FROM a\nCOPY «kubeconfig» /root/.kube/config'],
    ['all of .ssh', 'FROM a\nCOPY «.ssh/» /root/.ssh/'],
  ],
  ignores: [
    ['a public key', 'FROM a\nCOPY id_rsa.pub /c/'],
    ['a certificate', 'FROM a\nCOPY ca.pem server.crt fullchain.pem rds-combined-ca-bundle.pem /c/'],
    ['an example', 'FROM a\nCOPY .env.example .env.sample .env.template /c/'],
    ['a test’s key', 'FROM a\nCOPY test/id_rsa /c/'],
    ['a configuration', 'FROM a\nCOPY config.json docker/config.json /c/'],
    ['source code', 'FROM a\nCOPY credentials.go environment.ts secrets.py /c/'],
    ['another stage’s file', 'FROM a AS b\nFROM a\nCOPY --from=b /root/.npmrc /c/'],
    ['a stage that is only copied from', 'FROM a AS b\nCOPY .npmrc /\nFROM a\nCOPY --from=b /c /c'],
    ['a secret mount', 'FROM a\nRUN --mount=type=secret,id=id_rsa,target=/root/.ssh/id_rsa b'],
  ],
});

describeRule(copyBeforeDependencyInstall, {
  finds: [
    ['npm ci', 'FROM a\nCOPY «.» .\nRUN npm ci'],
    ['npm install with options', 'FROM a\nCOPY «.» /app/\nRUN cd /app && npm --loglevel warn install --omit=dev'],
    ['yarn alone', 'FROM a\nADD «./» /app\nWORKDIR /app\nRUN yarn'],
    ['pnpm install', 'FROM a\nCOPY --link «.» .\nRUN corepack enable && pnpm install --frozen-lockfile'],
    ['pip', 'FROM a\nCOPY «.» .\nRUN pip install --no-cache-dir -r requirements.txt'],
    ['go mod download', 'FROM a\nCOPY «.» .\nRUN go mod download && go build'],
    ['bundle', 'FROM a\nCOPY «.» .\nRUN bundle install --jobs 4'],
    ['composer', 'FROM a\nCOPY «.» .\nRUN composer install --no-dev'],
    ['cargo', 'FROM a\nCOPY «.» .\nRUN cargo fetch'],
    ['mvn', 'FROM a\nCOPY «.» .\nRUN mvn -B dependency:go-offline'],
    [
      'another installation before it',
      'FROM a\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY «.» .\nRUN npm ci',
    ],
    ['a stage that is only copied from', 'FROM a AS b\nCOPY «.» .\nRUN npm ci\nFROM a\nCOPY --from=b /c /c'],
  ],
  ignores: [
    ['the manifest first', 'FROM a\nCOPY package*.json .\nRUN npm ci\nCOPY . .'],
    ['a second installation', 'FROM a\nCOPY package.json .\nRUN npm ci\nCOPY . .\nRUN npm ci --offline'],
    [
      'an installation in the stage below',
      'FROM a AS b\nCOPY package.json .\nRUN npm ci\nFROM b\nCOPY . .\nRUN npm install',
    ],
    ['a folder', 'FROM a\nCOPY src .\nRUN npm ci'],
    ['a package by name', 'FROM a\nCOPY . .\nRUN npm install express && yarn global add b'],
    ['a global package', 'FROM a\nCOPY . .\nRUN npm install -g'],
    ['the project itself', 'FROM a\nCOPY . .\nRUN pip install . && pip install -e .[dev] -r b.txt'],
    ['a build', 'FROM a\nCOPY . .\nRUN npm run build && go build && mvn package'],
    ['a cache mount', 'FROM a\nCOPY . .\nRUN --mount=type=cache,target=/root/.npm npm ci'],
    ['another stage’s files', 'FROM a AS b\nFROM a\nCOPY --from=b . .\nRUN npm ci'],
  ],
});

describeRule(cleanupInLaterLayer, {
  finds: [
    ['a download', 'FROM a\nRUN curl -o /tmp/b http://c\nRUN tar xf /tmp/b && «rm /tmp/b»'],
    ['a download by its URL', 'FROM a\nWORKDIR /d\nRUN wget -q http://c/b.zip?x=1\nRUN unzip b.zip; «rm -f b.zip»'],
    ['a download by curl -O', 'FROM a\nWORKDIR /d\nRUN curl -sSLO http://c/b.zip\nRUN «rm b.zip»'],
    ['a download into a file', 'FROM a\nRUN curl http://c > /b\nRUN «rm /b»'],
    ['a download into a folder', 'FROM a\nRUN cd /tmp && wget http://c/b\nRUN «rm /tmp/b»'],
    [
      'package lists',
      'FROM a\nRUN apt-get update && apt-get install b\nRUN apt-get clean && «rm -rf /var/lib/apt/lists/*»',
    ],
    ['an archive that was copied', 'FROM a\nCOPY b.tar.gz /tmp/\nRUN tar xf /tmp/b.tar.gz && «rm /tmp/b.tar.gz»'],
    ['a package that was copied', 'FROM a\nCOPY b.deb /b.deb\nRUN dpkg -i /b.deb && «rm /b.deb»'],
    [
      'a file in the base’s working folder',
      'FROM a\nRUN wget http://c/b\nRUN «rm /d/b»',
      { bases: { a: { config: { WorkingDir: '/d' } } } },
    ],
    ['what the stage below made', 'FROM a AS b\nRUN curl -o /c http://d\nFROM b\nRUN «rm /c»'],
  ],
  ignores: [
    ['the same RUN', 'FROM a\nRUN curl -o /b http://c && rm /b'],
    ['what it made again', 'FROM a\nRUN apt-get update\nRUN apt-get update && rm -rf /var/lib/apt/lists/*'],
    ['what is gone already', 'FROM a\nRUN curl -o /b http://c && rm /b\nRUN rm -f /b'],
    ['the base’s files', 'FROM a\nRUN rm -rf /usr/share/doc'],
    ['another file', 'FROM a\nRUN curl -o /b http://c\nRUN rm /d'],
    ['a name in a variable', 'FROM a\nARG B\nRUN curl -o $B http://c\nRUN rm $B'],
    ['a folder that is not known', 'FROM a\nRUN wget http://c/b\nWORKDIR d\nRUN rm b'],
    ['a small file that was copied', 'FROM a\nCOPY b.txt /\nRUN rm /b.txt'],
    ['a download into a cache', 'FROM a\nRUN --mount=type=cache,target=/c curl -o /c/b http://d\nRUN rm /c/b'],
    [
      'a stage that is only copied from',
      'FROM a AS b\nRUN curl -o /c http://d\nRUN rm /c\nFROM a\nCOPY --from=b /e /e',
    ],
  ],
});

describeRule(copyThenChown, {
  finds: [
    ['chown of a file', 'FROM a\nCOPY b.sh /c/\nRUN «chown d /c/b.sh»'],
    ['chmod of a file', 'FROM a\nCOPY b.sh /b.sh\nRUN «chmod +x /b.sh»'],
    ['chmod of a file by its relative name', 'FROM a\nWORKDIR /c\nCOPY b.sh .\nRUN «chmod 755 ./b.sh»'],
    ['chmod of files of several COPYs', 'FROM a\nCOPY b.sh /\nCOPY d e.sh /\nRUN «chmod +x /b.sh /e.sh»'],
    ['chown of a folder', 'FROM a\nCOPY . /app\nRUN «chown -R b:b /app»'],
    ['chown of the working folder', 'FROM a\nWORKDIR /app\nCOPY . .\nRUN «chown -R b .»'],
    ['chown of a folder of two COPYs', 'FROM a\nCOPY b /app\nCOPY c /app\nRUN «chown -R b /app»'],
    ['chmod of a folder', 'FROM a\nCOPY b /app/\nRUN «chmod -R 755 /app»'],
    ['one behind something else', 'FROM a\nCOPY b.sh /b.sh\nENV c=d\nRUN set -e; «chmod +x /b.sh»'],
    ['ADD', 'FROM a\nADD b.sh /b.sh\nRUN «chmod +x /b.sh»'],
    ['another stage’s file', 'FROM a AS b\nFROM a\nCOPY --from=b /c /c\nRUN «chmod +x /c»'],
  ],
  ignores: [
    ['files of a RUN', 'FROM a\nRUN make -o /b\nRUN chmod +x /b'],
    ['files before a RUN', 'FROM a\nCOPY b /b\nRUN c\nRUN chmod +x /b'],
    ['a part of what was copied', 'FROM a\nCOPY . /app\nRUN chown -R b /app/data'],
    ['more than what was copied', 'FROM a\nCOPY . /srv/app\nRUN chown -R b /srv'],
    [
      'a folder with other files',
      'FROM a\nWORKDIR /app\nCOPY package.json .\nRUN npm ci\nCOPY . .\nRUN chown -R b /app',
    ],
    ['a folder that a RUN names', 'FROM a\nRUN mkdir -p /app/data\nCOPY . /app\nRUN chown -R b /app'],
    ['a folder that the RUN adds to', 'FROM a\nCOPY . /app\nRUN mkdir /app/data && chown -R b /app'],
    ['a mode that depends on the old one', 'FROM a\nCOPY . /app\nRUN chmod -R g=u /app'],
    ['a file that the RUN removes', 'FROM a\nCOPY b.sh /tmp/\nRUN chmod +x /tmp/b.sh && /tmp/b.sh && rm /tmp/b.sh'],
    ['a pattern', 'FROM a\nCOPY b/ /b/\nRUN chmod +x /b/*.sh'],
    ['options that are not known', 'FROM a\nCOPY b /b\nRUN chown --reference=/c /b'],
    ['an archive', 'FROM a\nADD b.tgz /app\nRUN chown -R b /app'],
    ['a stage that is only copied from', 'FROM a AS b\nCOPY c /c\nRUN chmod +x /c\nFROM a\nCOPY --from=b /c /c'],
  ],
  fixes: [
    [
      'an owner',
      'FROM a\nCOPY --link b /app\nRUN chown -R 1:2 /app\nUSER c\n',
      'FROM a\nCOPY --chown=1:2 --link b /app\nUSER c\n',
    ],
    ['a user, whose files keep the group', 'FROM a\nCOPY b /c/\nRUN chown d /c/b', 'FROM a\nCOPY --chown=d:0 b /c/'],
    ['a mode', 'FROM a\nCOPY b.sh /c/\nRUN chmod 0755 /c/b.sh', 'FROM a\nCOPY --chmod=0755 b.sh /c/'],
    [
      'ids over lines',
      'FROM a\nCOPY b.sh /c/\nRUN chown 10:20 \\\n  /c/b.sh\nCMD d',
      'FROM a\nCOPY --chown=10:20 b.sh /c/\nCMD d',
    ],
    ['not a folder that WORKDIR made', 'FROM a\nWORKDIR /app\nCOPY . .\nRUN chown -R b .', 'same'],
    ['not a folder that the base may have', 'FROM a\nCOPY b /var/www/html\nRUN chown -R c /var/www/html', 'same'],
    ['not a mode that adds', 'FROM a\nCOPY b.sh /b.sh\nRUN chmod +x /b.sh', 'same'],
    ['not a RUN that does more', 'FROM a\nCOPY b.sh /b.sh\nRUN chmod 755 /b.sh && /b.sh', 'same'],
    ['not a COPY of more files', 'FROM a\nCOPY b.sh c /d/\nRUN chmod 755 /d/b.sh', 'same'],
    ['not a COPY before another one', 'FROM a\nCOPY b.sh /\nCOPY c /c\nRUN chmod 755 /b.sh', 'same'],
    ['not a folder of two COPYs', 'FROM a\nCOPY b /app\nCOPY c /app\nRUN chown -R b /app', 'same'],
    ['not a name behind --link', 'FROM a\nCOPY --link b /app\nRUN chown -R c:d /app', 'same'],
    ['not an owner in a variable', 'FROM a\nCOPY b.sh /\nRUN chown $USER /b.sh', 'same'],
    ['not a COPY that has the flag', 'FROM a\nCOPY --chmod=1 b.sh /\nRUN chmod 755 /b.sh', 'same'],
  ],
});
