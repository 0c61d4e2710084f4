import { lostShellState } from '../../../src/dockerfile/checks/own/lost-shell-state.ts';
import { missingUser } from '../../../src/dockerfile/checks/own/missing-user.ts';
import { unpinnedBaseImage } from '../../../src/dockerfile/checks/own/unpinned-base-image.ts';
import { describeRule } from './rule-cases.ts';

const digest = `sha256:${'0'.repeat(64)}`;

describeRule(unpinnedBaseImage, {
  finds: [
    ['a name alone', 'FROM «debian»'],
    ['latest', 'FROM «debian:latest» AS a'],
    ['a registry’s port', 'FROM --platform=linux/amd64 «localhost:5000/a»'],
    ['each stage', 'FROM «a» AS x\nFROM «b»'],
    ['a variable', 'ARG TAG=latest\nFROM «a:$TAG»'],
    ['a variable with a default', 'FROM «a:${TAG:-latest}»'],
    ['a variable that is given', 'ARG TAG=1\nFROM «a:$TAG»', { buildArgs: { TAG: 'latest' } }],
  ],
  ignores: [
    ['a tag', 'FROM debian:12'],
    ['a digest', `FROM debian@${digest}`],
    ['latest with a digest', `FROM debian:latest@${digest}`],
    ['what the file skips', '# check=skip=UnpinnedBaseImage\nFROM debian'],
    ['what a comment skips', 'ARG a\n# check=skip=UnpinnedBaseImage\nFROM debian'],
    ['scratch', 'FROM scratch'],
    ['a stage', 'FROM debian:12 AS base\nFROM base'],
    ['a stage by another case', 'FROM debian:12 AS base\nFROM BASE'],
    ['a folder as a named context', 'FROM rootfs', { contexts: { rootfs: 'tree' } }],
    ['a variable', 'ARG TAG=12\nFROM debian:$TAG'],
    ['COPY --from', 'FROM scratch\nCOPY --from=debian / /'],
  ],
});

describeRule(missingUser, {
  finds: [
    ['no user on scratch', '«FROM» scratch\nCMD ["a"]'],
    ['no user on a base without one', '«FROM» a\nENTRYPOINT ["b"]', { bases: { a: {} } }],
    ['a base that starts something', '«FROM» a', { bases: { a: { config: { Cmd: ['b'] } } } }],
    ['root at the end', 'FROM a\nUSER b\nUSER «root»\nCMD c'],
    ['root by number', 'FROM a\nUSER «0:0»\nCMD c'],
    ['root in the stage below', 'FROM a AS b\nUSER «root»\nFROM b\nCMD c'],
    ['the target alone', 'FROM scratch AS b\nCMD c\n«FROM» scratch AS d\nCMD e'],
  ],
  ignores: [
    ['a user', 'FROM scratch\nUSER 1\nCMD ["a"]'],
    ['a user of the base', 'FROM a\nCMD ["b"]', { bases: { a: { config: { User: 'c' } } } }],
    ['a user of the stage below', 'FROM a AS b\nUSER c\nFROM b\nCMD d'],
    ['a base that is not known', 'FROM a\nCMD ["b"]'],
    ['an image that starts nothing', 'FROM scratch\nCOPY a /'],
    ['a program that gives root up', 'FROM a\nRUN apk add --no-cache su-exec\nUSER root\nENTRYPOINT ["/b.sh"]'],
  ],
});

describeRule(lostShellState, {
  finds: [
    ['cd', 'FROM a\nRUN «cd /b»'],
    ['export', 'FROM a\nRUN «export B=c»'],
    ['a variable', 'FROM a\nRUN «B=c»'],
    ['several', 'FROM a\nRUN «set -e; cd /b && umask 022»'],
    ['a virtual environment', 'FROM a\nRUN «. /venv/bin/activate»'],
    ['a profile', 'FROM a\nRUN «source ~/.bashrc»'],
    ['a joint that was forgotten', 'FROM a\nRUN «set -ex \\\n  make all»'],
    ['a heredoc', 'FROM a\nRUN <<E\n«cd /b»\nE'],
  ],
  ignores: [
    ['what a comment skips', 'FROM a\n# check=skip=LostShellState\nRUN cd /b'],
    ['cd before something', 'FROM a\nRUN cd /b && make'],
    ['a script that is read', 'FROM a\nRUN . ./build.sh'],
    ['what a substitution does', 'FROM a\nRUN B=$(make)'],
    ['what backquotes do', 'FROM a\nRUN export B=`make`'],
    ['what is written', 'FROM a\nRUN set > /b'],
    ['a test', 'FROM a\nRUN test -d /b'],
    ['true', 'FROM a\nRUN true'],
    ['the program of that name', 'FROM a\nRUN ["cd", "/b"]'],
    ['another shell', 'FROM a\nSHELL ["pwsh", "-c"]\nRUN cd /b'],
  ],
});
