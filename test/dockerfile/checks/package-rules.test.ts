import { apkCacheNotRemoved } from '../../../src/dockerfile/checks/own/apk-cache-not-removed.ts';
import { aptGetListsNotRemoved } from '../../../src/dockerfile/checks/own/apt-get-lists-not-removed.ts';
import { aptGetNoInstallRecommends } from '../../../src/dockerfile/checks/own/apt-get-no-install-recommends.ts';
import { aptGetUpdateAlone } from '../../../src/dockerfile/checks/own/apt-get-update-alone.ts';
import { aptInsteadOfAptGet } from '../../../src/dockerfile/checks/own/apt-instead-of-apt-get.ts';
import { dnfCacheNotRemoved } from '../../../src/dockerfile/checks/own/dnf-cache-not-removed.ts';
import { pipCacheNotRemoved } from '../../../src/dockerfile/checks/own/pip-cache-not-removed.ts';
import { describeRule } from './rule-cases.ts';

describeRule(aptGetNoInstallRecommends, {
  finds: [
    ['an installation', 'FROM a\nRUN «apt-get install» -y b'],
    ['options before the verb', 'FROM a\nRUN «apt-get -qq -o Acquire::Retries=3 -t sid install» b'],
    ['apt', 'FROM a\nRUN «apt install» b'],
    ['each of several', 'FROM a\nRUN «apt-get install» b && «apt-get install» c'],
    ['sudo', 'FROM a\nRUN sudo -E «apt-get install» b'],
    ['variables before the program', 'FROM a\nRUN DEBIAN_FRONTEND=noninteractive «apt-get install» b'],
    ['a condition', 'FROM a\nRUN if [ -n "$x" ]; then «apt-get install» b; fi'],
    ['JSON', 'FROM a\nRUN [«"apt-get", "install"», "b"]'],
    ['a script in JSON', 'FROM a\nRUN ["bash", "-c", "«apt-get install» b"]'],
    ['a heredoc', 'FROM a\nRUN <<E\nset -e\n«apt-get install» b\nE'],
    ['a stage that the target begins with', 'FROM a AS b\nRUN «apt-get install» c\nFROM b\nCMD ["c"]'],
  ],
  ignores: [
    ['the option behind the packages', 'FROM a\nRUN apt-get install b --no-install-recommends'],
    ['the wish for them', 'FROM a\nRUN apt-get install --install-recommends b'],
    ['the setting as an option', 'FROM a\nRUN apt-get -o APT::Install-Recommends=false install b'],
    [
      'the setting in a file',
      'FROM a\nRUN echo \'APT::Install-Recommends "0";\' >/etc/apt/apt.conf.d/x\nRUN apt-get install b',
    ],
    ['options in a variable', 'FROM a\nRUN apt-get install $APT_OPTS b'],
    ['a download', 'FROM a\nRUN apt-get install --download-only b'],
    ['another verb', 'FROM a\nRUN apt-get remove b'],
    ['the words as an argument', 'FROM a\nRUN echo apt-get install b'],
    ['the words in a comment', 'FROM a\nRUN b # && apt-get install c'],
    ['a stage that is only copied from', 'FROM a AS b\nRUN apt-get install c\nFROM d\nCOPY --from=b /c /'],
    ['a stage that is not the target', 'FROM a AS b\nRUN apt-get install c\nFROM d AS e', { target: 'e' }],
  ],
  fixes: [
    ['an installation', 'FROM a\nRUN apt-get install -y b', 'FROM a\nRUN apt-get install --no-install-recommends -y b'],
    [
      'JSON',
      'FROM a\nRUN ["apt-get", "install", "b"]',
      'FROM a\nRUN ["apt-get", "install", "--no-install-recommends", "b"]',
    ],
    [
      'a continued line',
      'FROM a\nRUN apt-get install \\\n  b',
      'FROM a\nRUN apt-get install --no-install-recommends \\\n  b',
    ],
    ['not what is escaped', 'FROM a\nRUN ["sh", "-c", "apt-get install \\"b\\""]', 'same'],
  ],
});

describeRule(aptGetListsNotRemoved, {
  finds: [
    ['lists that stay', 'FROM a\nRUN «apt-get update» && apt-get install b'],
    ['lists that were removed too early', 'FROM a\nRUN rm -rf /var/lib/apt/lists/* && «apt-get update»'],
    ['the removal of packages alone', 'FROM a\nRUN «apt-get update» && apt-get install b && apt-get clean'],
    ['the removal in another RUN', 'FROM a\nRUN «apt-get update»\nRUN rm -rf /var/lib/apt/lists/*'],
    ['once where there are two', 'FROM a\nRUN «apt-get update» && apt-get install b && apt-get update'],
    ['a cache mount over the packages alone', 'FROM a\nRUN --mount=type=cache,target=/var/cache/apt «apt-get update»'],
  ],
  ignores: [
    ['their removal', 'FROM a\nRUN apt-get update && apt-get install b && rm -rf /var/lib/apt/lists/*'],
    ['their removal with a slash', 'FROM a\nRUN apt-get update; rm -r /var/lib/apt/lists/'],
    ['their removal among other folders', 'FROM a\nRUN apt-get update; rm -rf /tmp/* /var/lib/{apt,dpkg,cache}/'],
    ['their removal from their folder', 'FROM a\nRUN apt-get update && cd /var/lib/apt && rm -rf lists'],
    ['their removal by find', 'FROM a\nRUN apt-get update && find /var/lib/apt/lists -delete'],
    ['apt-get dist-clean', 'FROM a\nRUN apt-get update; apt-get install b; apt-get dist-clean'],
    ['a program that cleans', 'FROM a\nRUN apt-get update && apt-get install b && docker-cleanup'],
    ['a script', 'FROM a\nRUN apt-get update && ./install.sh'],
    ['a shell in the shell', 'FROM a\nRUN apt-get update && sudo bash -c "rm -rf /var/lib/apt/lists/*"'],
    ['a cache mount', 'FROM a\nRUN --mount=type=cache,target=/var/lib/apt apt-get update'],
    ['a tmpfs', 'FROM a\nRUN --mount=type=tmpfs,target=/var/lib/apt/lists/ apt-get update'],
    ['an installation alone', 'FROM a\nRUN apt-get install b'],
    ['a script that cannot be read', 'FROM a\nRUN apt-get update && echo "b'],
    ['a stage that is only copied from', 'FROM a AS b\nRUN apt-get update\nFROM d\nCOPY --from=b /c /'],
  ],
  fixes: [
    [
      'a row of commands',
      'FROM a\nRUN apt-get update && apt-get install b',
      'FROM a\nRUN apt-get update && apt-get install b && rm -rf /var/lib/apt/lists/*',
    ],
    [
      'several lines',
      'FROM a\nRUN apt-get update \\\n && apt-get install b\nCMD c',
      'FROM a\nRUN apt-get update \\\n && apt-get install b \\\n && rm -rf /var/lib/apt/lists/*\nCMD c',
    ],
    ['sudo', 'FROM a\nRUN sudo apt-get update', 'FROM a\nRUN sudo apt-get update && sudo rm -rf /var/lib/apt/lists/*'],
    ['not what a later RUN needs', 'FROM a\nRUN apt-get update\nRUN apt-get install b', 'same'],
    ['not what a stage above needs', 'FROM a AS x\nRUN apt-get update\nFROM x\nRUN apt-get install b', 'same'],
    ['not an alternative', 'FROM a\nRUN apt-get update || true', 'same'],
  ],
});

describeRule(aptGetUpdateAlone, {
  finds: [
    ['an update before the installation', 'FROM a\nRUN «apt-get update»\nRUN apt-get install b'],
    [
      'one with other preparations',
      'FROM a\nRUN curl b | apt-key add - && «apt-get update»\nENV c=d\nRUN apt-get install b',
    ],
    ['one in the stage below', 'FROM a AS b\nRUN «apt-get update»\nFROM b\nRUN apt-get -y install c'],
    ['one for an upgrade', 'FROM a\nRUN «apt update»\nRUN apt upgrade'],
  ],
  ignores: [
    ['both in one RUN', 'FROM a\nRUN apt-get update && apt-get install b'],
    ['an update that nothing needs', 'FROM a\nRUN apt-get update'],
    ['an installation with its own update', 'FROM a\nRUN apt-get update\nRUN apt-get update && apt-get install b'],
    ['what a script may need', 'FROM a\nRUN apt-get update && ./setup b\nRUN apt-get install b'],
    ['what xargs may need', 'FROM a\nRUN apt-get update && cat b | xargs apt-get install\nRUN apt-get install c'],
    ['another stage’s installation', 'FROM a AS b\nRUN apt-get update\nFROM a\nRUN apt-get install c'],
  ],
});

describeRule(aptInsteadOfAptGet, {
  finds: [
    ['an installation', 'FROM a\nRUN «apt install» b'],
    ['each call', 'FROM a\nRUN «apt -y update» && «apt upgrade»'],
    ['a stage that is only copied from', 'FROM a AS b\nRUN «apt update»\nFROM c\nCOPY --from=b /b /'],
  ],
  ignores: [
    ['apt-get', 'FROM a\nRUN apt-get install b'],
    ['what only apt can', 'FROM a\nRUN apt list --installed && apt show b'],
    ['a verb in a variable', 'FROM a\nRUN apt $b'],
    ['another apt', 'FROM a\nRUN /opt/java/apt install b'],
    ['no verb', 'FROM a\nRUN apt --version'],
  ],
  fixes: [
    ['each call', 'FROM a\nRUN apt update && apt install b', 'FROM a\nRUN apt-get update && apt-get install b'],
    ['JSON', 'FROM a\nRUN ["apt", "update"]', 'FROM a\nRUN ["apt-get", "update"]'],
  ],
});

describeRule(apkCacheNotRemoved, {
  finds: [
    ['an installation', 'FROM a\nRUN «apk add» b'],
    ['one with an update', 'FROM a\nRUN «apk add» -U b'],
    ['an update', 'FROM a\nRUN «apk update» && apk add --no-cache b'],
    ['options before the verb', 'FROM a\nRUN «apk -X http://b add» c'],
  ],
  ignores: [
    ['no cache', 'FROM a\nRUN apk add --no-cache b'],
    ['no cache before the verb', 'FROM a\nRUN apk --no-cache add b'],
    ['its removal', 'FROM a\nRUN apk add -U b && rm -rf /var/cache/apk/*'],
    ['its removal with all caches', 'FROM a\nRUN apk update; apk add b; rm -rf /var/cache/*'],
    ['a cache mount', 'FROM a\nRUN --mount=type=cache,target=/var/cache/apk apk add b'],
    ['a cache mount over its link', 'FROM a\nRUN --mount=type=cache,target=/etc/apk/cache apk add b'],
    ['another root', 'FROM a\nRUN apk add --root /b c'],
    ['a script', 'FROM a\nRUN apk add b && sh c.sh'],
    ['another verb', 'FROM a\nRUN apk del b'],
  ],
  fixes: [
    ['an installation', 'FROM a\nRUN apk add b', 'FROM a\nRUN apk add --no-cache b'],
    ['an update before it', 'FROM a\nRUN apk update && apk add b', 'FROM a\nRUN apk add --no-cache b'],
    [
      'an update and an upgrade',
      'FROM a\nRUN apk update && \\\n  apk upgrade && apk add b',
      'FROM a\nRUN apk upgrade --no-cache && apk add --no-cache b',
    ],
    ['a heredoc', 'FROM a\nRUN <<E\napk update\napk add b\nE', 'FROM a\nRUN <<E\napk add --no-cache b\nE'],
    ['not an update before something else', 'FROM a\nRUN apk update && b && apk add c', 'same'],
  ],
});

describeRule(dnfCacheNotRemoved, {
  finds: [
    ['dnf', 'FROM a\nRUN «dnf install» -y b'],
    ['yum with options', 'FROM a\nRUN «yum -y --enablerepo b install» c'],
    ['microdnf', 'FROM a\nRUN «microdnf update»'],
    ['the first of several', 'FROM a\nRUN «yum update» && yum install b'],
  ],
  ignores: [
    ['the cleaning', 'FROM a\nRUN dnf install b && dnf clean all'],
    ['the cleaning of metadata', 'FROM a\nRUN dnf install b && dnf -y clean metadata'],
    ['the removal', 'FROM a\nRUN yum install b && rm -rf /var/cache/yum'],
    ['a cache mount', 'FROM a\nRUN --mount=type=cache,target=/var/cache/dnf dnf install b'],
    ['another root', 'FROM a\nRUN dnf install --installroot /b c'],
    ['another verb', 'FROM a\nRUN dnf remove b'],
    ['a script', 'FROM a\nRUN yum install b && /tmp/setup.sh'],
  ],
  fixes: [
    ['dnf', 'FROM a\nRUN dnf install b', 'FROM a\nRUN dnf install b && dnf clean all'],
    [
      'microdnf on lines',
      'FROM a\nRUN microdnf install b && \\\n    c',
      'FROM a\nRUN microdnf install b && \\\n    c && \\\n    microdnf clean all',
    ],
    ['not a loop', 'FROM a\nRUN for x in b c; do yum install $x; done', 'same'],
  ],
});

describeRule(pipCacheNotRemoved, {
  finds: [
    ['an installation', 'FROM a\nRUN «pip install» b'],
    ['pip3', 'FROM a\nRUN «pip3 install» -r b'],
    ['a version of pip in a folder', 'FROM a\nRUN «/venv/bin/pip3.11 install» b'],
    ['the module', 'FROM a\nRUN «python3 -m pip install» b'],
    ['each of several', 'FROM a\nRUN «pip install» b && «pip install» c'],
    ['a variable that is set to nothing', 'FROM a\nENV PIP_NO_CACHE_DIR=\nRUN «pip install» b'],
    ['a variable that comes too late', 'FROM a\nRUN «pip install» b\nENV PIP_NO_CACHE_DIR=1'],
  ],
  ignores: [
    ['no cache', 'FROM a\nRUN pip install --no-cache-dir b'],
    ['no cache before the verb', 'FROM a\nRUN pip --no-cache-dir install b'],
    ['the variable', 'FROM a\nENV PIP_NO_CACHE_DIR=1\nRUN pip install b'],
    ['the variable as an ARG', 'FROM a\nARG PIP_NO_CACHE_DIR=1\nRUN pip install b'],
    ['the variable in the stage below', 'FROM a AS b\nENV PIP_NO_CACHE_DIR=1\nFROM b\nRUN pip install c'],
    [
      'the variable in the base',
      'FROM a\nRUN pip install b',
      { bases: { a: { config: { Env: ['PIP_NO_CACHE_DIR=1'] } } } },
    ],
    ['the variable before the program', 'FROM a\nRUN PIP_NO_CACHE_DIR=1 pip install b'],
    ['the variable exported', 'FROM a\nRUN export PIP_NO_CACHE_DIR=1 && pip install b'],
    ['a setting', 'FROM a\nRUN pip config set global.no-cache-dir true\nRUN pip install b'],
    ['a configuration', 'FROM a\nCOPY pip.conf /etc/\nRUN pip install b'],
    ['a cache mount', 'FROM a\nRUN --mount=type=cache,target=/root/.cache pip install b'],
    ['the removal', 'FROM a\nRUN pip install b && rm -rf ~/.cache'],
    ['pip cache purge', 'FROM a\nRUN pip install b && pip cache purge'],
    ['wheels of one’s own', 'FROM a\nRUN pip install --no-index b'],
    ['another verb', 'FROM a\nRUN pip list'],
    ['another module', 'FROM a\nRUN python3 -m venv b'],
    ['uv', 'FROM a\nRUN uv pip install b'],
  ],
  fixes: [
    [
      'each of several',
      'FROM a\nRUN pip install b && python -m pip install c',
      'FROM a\nRUN pip install --no-cache-dir b && python -m pip install --no-cache-dir c',
    ],
  ],
});
