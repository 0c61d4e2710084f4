import { describe, expect, it } from '@jest/globals';
import { type GraphOptions, graphOf, lastStep, ownHistory, path } from './build-inputs.ts';

type BuildArgs = Readonly<Record<string, string>>;

/** What history shows of the ARGs before a RUN at the end, `|2 A=1 B=2`. */
function argsOf(text: string, options: GraphOptions): string {
  const last = ownHistory(`${text}\nRUN x`, options).at(-1) ?? '';
  return /^\* RUN (.*?) ?\/bin\/sh -c x # buildkit$/s.exec(last)?.[1] ?? last;
}

const inStage: readonly (readonly [rule: string, lines: string, args: string, buildArgs?: BuildArgs])[] = [
  ['a default', 'ARG A=1', '|1 A=1'],
  ['an empty default', 'ARG A=', '|1 A='],
  ['no value is empty', 'ARG A', '|1 A='],
  ['--build-arg gives a value', 'ARG A', '|1 A=2', { A: '2' }],
  ['--build-arg beats the default', 'ARG A=1', '|1 A=2', { A: '2' }],
  ['--build-arg may be empty', 'ARG A=1', '|1 A=', { A: '' }],
  ['--build-arg is not expanded', 'ARG A', '|1 A=$HOME', { A: '$HOME' }],
  ['--build-arg keeps its quotes', 'ARG A', '|1 A="2"', { A: '"2"' }],
  ['--build-arg minds letter case', 'ARG A', '|1 A=', { a: '2' }],
  ['an undeclared argument is not seen', '', '', { A: '1' }],
  ['a name that objects have means nothing', 'ARG toString', '|1 toString='],
  ['a name of any form', 'ARG A.B-c=1', '|1 A.B-c=1'],
  ['a name with an underscore', 'ARG _a1=x', '|1 _a1=x'],
  ['several', 'ARG A=1 B=2 C', '|3 A=1 B=2 C='],
  ['several in one line that goes on', 'ARG A=1 \\\n B=2', '|2 A=1 B=2'],
  ['several, from left to right', 'ARG A=1 B=${A}2', '|2 A=1 B=12'],
  ['those to the right are not seen yet', 'ARG A=${B:-x} B=1', '|2 A=x B=1'],
  ['a given one is seen to its right', 'ARG A=1 B=${A}2', '|2 A=9 B=92', { A: '9' }],
  ['one of a name twice in a line', 'ARG A=1 A=${A}2', '|1 A=12'],
  ['a second ARG of one name keeps its place', 'ARG A=1\nARG B=2\nARG A=3', '|2 A=3 B=2'],
  ['a second ARG without a value takes nothing away', 'ARG A=1\nARG A', '|1 A=1'],
  ['a second ARG with a value gives one', 'ARG A\nARG A=1', '|1 A=1'],
  ['--build-arg beats the second default too', 'ARG A=1\nARG A=2', '|1 A=3', { A: '3' }],
  ['a default sees earlier ARGs', 'ARG A=1\nARG B=$A', '|2 A=1 B=1'],
  ['a default sees ENV', 'ENV A=1\nARG B=$A', '|1 B=1'],
  ['a default sees PATH', 'ARG A=$PATH', `|1 A=${path.slice('PATH='.length)}`],
  ['a default of an unset variable is empty', 'ARG A="${NONE}"', '|1 A='],
  ['quotes of a default go', `ARG A="x y" B='z'`, '|2 A=x y B=z'],
  ['single quotes block', "ARG A='$B'", '|1 A=$B'],
  ['an escape blocks', 'ARG A=\\$B', '|1 A=$B'],
  ['a hash is an argument like others', 'ARG A=1 # c', '|3 A=1 #= c='],
  ['ENV beats ARG', 'ARG A=1\nENV A=2', '|1 A=2'],
  ['ENV beats --build-arg', 'ARG A=1\nENV A=2', '|1 A=2', { A: '3' }],
  ['an ARG after ENV beats it', 'ENV A=1\nARG A=2', '|1 A=2'],
  ['an ARG after ENV without a value does not', 'ENV A=1\nARG A', '|1 A=1'],
  ['an ARG after ENV takes --build-arg', 'ENV A=1\nARG A=2', '|1 A=3', { A: '3' }],
  ['ENV between two ARGs of its name', 'ARG A=1\nENV A=2\nARG A=3', '|1 A=3'],
  ['PATH can be declared', 'ARG PATH=/x', '|1 PATH=/x'],
  ['PATH without a value stays', 'ARG PATH', `|1 ${path}`],
];

const overStages: readonly (readonly [rule: string, text: string, args: string, buildArgs?: BuildArgs])[] = [
  ['a global one is not seen', 'ARG A=1\nFROM a', ''],
  ['a global one declared again is inherited', 'ARG A=1\nFROM a\nARG A', '|1 A=1'],
  ['a global one declared with a default takes that', 'ARG A=1\nFROM a\nARG A=2', '|1 A=2'],
  ['--build-arg beats a global default', 'ARG A=1\nFROM a\nARG A', '|1 A=3', { A: '3' }],
  ['a global one without a value', 'ARG A\nFROM a\nARG A', '|1 A='],
  ['a global one sees those before it', 'ARG A=1\nARG B=${A}2\nFROM a\nARG B', '|1 B=12'],
  ['a global one sees those to its left', 'ARG A=1 B=${A}2\nFROM a\nARG B', '|1 B=12'],
  ['a global one sees what was given', 'ARG A=1 B=${A}2\nFROM a\nARG B', '|1 B=92', { A: '9' }],
  ['a global one sees the platform', 'ARG A=$TARGETOS\nFROM a\nARG A', '|1 A=linux'],
  ['a global one sees no environment', 'ARG A=$PATH\nFROM a\nARG A', '|1 A='],
  ['the last global one of a name counts', 'ARG A=1\nARG A=2\nFROM a\nARG A', '|1 A=2'],
  ['a global one again without a value takes nothing away', 'ARG A=1\nARG A\nFROM a\nARG A', '|1 A=1'],
  ['a global platform argument is replaced', 'ARG TARGETOS=x\nFROM a\nARG TARGETOS', '|1 TARGETOS=x'],
  ['quotes of a global default go', 'ARG A="a b"\nFROM a\nARG A', '|1 A=a b'],
  ['one of another stage is not seen', 'FROM a\nARG A=1\nFROM a', ''],
  ['one of another stage changes no global', 'ARG A=1\nFROM a AS b\nARG A=2\nFROM a\nARG A', '|1 A=1'],
  ['one of the base stage is', 'FROM a AS b\nARG A=1\nFROM b', '|1 A=1'],
  ['one of the base of the base stage is', 'FROM a AS b\nARG A=1\nFROM b AS c\nARG B=2\nFROM c', '|2 A=1 B=2'],
  ['one of the base stage can be declared anew', 'FROM a AS b\nARG A=1\nFROM b\nARG A=2', '|1 A=2'],
  ['one of the base stage that ENV beat', 'FROM a AS b\nARG A=1\nENV A=2\nFROM b', '|1 A=2'],
  ['one of the base stage that was given', 'FROM a AS b\nARG A\nFROM b', '|1 A=1', { A: '1' }],
  ['one of a trigger', 'FROM a AS b\nONBUILD ARG A=1\nFROM b', '|1 A=1'],
];

describe('ARG', () => {
  it.each(inStage)('in a stage: %s', (_, lines, args, buildArgs = {}) => {
    expect(argsOf(`FROM a\n${lines}`, { buildArgs })).toBe(args);
  });

  it.each(overStages)('over stages: %s', (_, text, args, buildArgs = {}) => {
    expect(argsOf(text, { buildArgs })).toBe(args);
  });

  it('shows in history what was declared', () => {
    const text = 'FROM a\nARG A B=2 C="x y"\nARG "D"=1';
    expect(ownHistory(text, { buildArgs: { A: '1' } })).toEqual(['ARG A=1 B=2 C=x y', 'ARG "D"=1']);
    expect(ownHistory('FROM a\nARG A')).toEqual(['ARG A']);
  });

  it('each RUN sees those declared before it', () => {
    expect(ownHistory('FROM a\nARG A=1\nRUN x\nARG B=2\nRUN y')).toEqual([
      'ARG A=1',
      '* RUN |1 A=1 /bin/sh -c x # buildkit',
      'ARG B=2',
      '* RUN |2 A=1 B=2 /bin/sh -c y # buildkit',
    ]);
  });
});

const froms: readonly (readonly [rule: string, text: string, name: string, buildArgs?: BuildArgs])[] = [
  ['a global ARG', 'ARG V=1\nFROM a:$V', 'a:1'],
  ['a given one', 'ARG V=1\nFROM a:$V', 'a:2', { V: '2' }],
  ['one that sees another', 'ARG V=1 W=${V}2\nFROM a:$W', 'a:12'],
  ['a default for one without a value', 'ARG V\nFROM a:${V:-2}', 'a:2'],
  ['a default for an undeclared one', 'FROM a:${V:-2}', 'a:2'],
  ['an undeclared one that is given is not seen', 'FROM a:${V:-2}', 'a:2', { V: '3' }],
  ['a pattern', 'ARG V=1.2.3\nFROM a:${V%.*}', 'a:1.2'],
  ['the whole name', 'ARG I="a:b"\nFROM $I', 'a:b'],
  ['the platform', 'FROM a-$TARGETARCH-${BUILDOS}', 'a-amd64-linux'],
  ['no ARG of a stage', 'FROM a AS x\nARG V=1\nFROM b:${V:-2}', 'b:2'],
  ['no ENV of a stage', 'FROM a AS x\nENV V=1\nFROM b:${V:-2}', 'b:2'],
  ['the name of a stage', 'ARG S=x\nFROM a AS x\nRUN y\nFROM $S', 'a'],
];

describe('FROM sees', () => {
  it.each(froms)('%s', (_, text, name, buildArgs = {}) => {
    expect(graphOf(text, { buildArgs }).steps[0]).toMatchObject({ kind: 'image', name });
  });
});

const envs: readonly (readonly [rule: string, lines: string, last: string, buildArgs?: BuildArgs])[] = [
  ['ENV sees an earlier one', 'ENV A=1\nENV B=$A', 'ENV B=1'],
  ['ENV does not see its own line', 'ENV A=1 B=$A', 'ENV A=1 B='],
  ['ENV sees what was before its line', 'ENV A=1\nENV A=2 B=$A', 'ENV A=2 B=1'],
  ['ENV can grow', 'ENV A=1\nENV A=$A$A', 'ENV A=11'],
  ['ENV may have a variable as its name', 'ENV A=x\nENV $A=y', 'ENV x=y'],
  ['ENV in the old form is expanded', 'ENV A=1\nENV B $A c', 'ENV B=1 c'],
  ['ENV sees ARG', 'ARG A=1\nENV B=$A', 'ENV B=1'],
  ['ENV can keep an ARG', 'ARG A=1\nENV A=$A', 'ENV A=1'],
  ['ENV sees the ARG of its time', 'ARG A=1\nENV B=$A\nARG A=2\nENV C=$B$A', 'ENV C=12'],
  ['ENV minds letter case', 'ARG a=1\nENV B=x$A', 'ENV B=x'],
  ['ENV sees PATH', 'ENV P=$PATH', `ENV P=${path.slice('PATH='.length)}`],
  ['ENV sees no platform that is not declared', 'ENV A=x$TARGETOS', 'ENV A=x'],
  ['ENV sees one that is', 'ARG TARGETOS TARGETARCH\nENV A=$TARGETOS/$TARGETARCH', 'ENV A=linux/amd64'],
  ['ENV sees no proxy that is not declared', 'ENV A=x$HTTP_PROXY', 'ENV A=x', { HTTP_PROXY: 'p' }],
  ['LABEL is expanded, name and value', 'ENV A=x\nLABEL $A=$A', 'LABEL x=x'],
  ['LABEL does not see its own line', 'LABEL A=1 B=$A', 'LABEL A=1 B='],
  ['USER is expanded', 'ENV A=ann\nUSER $A:${A}s', 'USER ann:anns'],
  ['WORKDIR is expanded', 'ENV A=/x\nWORKDIR $A/y', '* WORKDIR /x/y'],
  ['VOLUME is expanded', 'ENV A=x\nVOLUME /$A ["/y"]', 'VOLUME [/x [/y]]'],
  ['VOLUME in JSON is expanded', 'ENV A=x\nVOLUME ["/$A"]', 'VOLUME [/x]'],
  ['EXPOSE is expanded into several', 'ENV A="80 81/udp"\nEXPOSE $A', 'EXPOSE [80/tcp 81/udp]'],
  ['STOPSIGNAL is expanded', 'ENV A=TERM\nSTOPSIGNAL SIG$A', 'STOPSIGNAL SIGTERM'],
  ['COPY is expanded', 'ENV A=x\nCOPY $A /$A', '* COPY x /x # buildkit'],
  ['COPY in JSON is expanded', 'ENV A="x y"\nCOPY ["$A", "/z"]', '* COPY x y /z # buildkit'],
  ['ADD is expanded', 'ENV A=x\nADD https://$A/y /', '* ADD https://x/y / # buildkit'],
  ['MAINTAINER is not', 'ENV A=x\nMAINTAINER $A', 'MAINTAINER $A'],
  ['CMD is not', 'ENV A=x\nCMD ["$A"]', 'CMD ["$A"]'],
  ['ENTRYPOINT is not', 'ENV A=x\nENTRYPOINT $A', 'ENTRYPOINT ["/bin/sh" "-c" "$A"]'],
  ['SHELL is not', 'ENV A=x\nSHELL ["$A"]', 'SHELL [$A]'],
  ['RUN is not', 'ENV A=x\nRUN $A', '* RUN /bin/sh -c $A # buildkit'],
  [
    'HEALTHCHECK is not',
    'ENV A=x\nHEALTHCHECK CMD $A',
    'HEALTHCHECK {Test:[CMD-SHELL $A] Interval:0s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}',
  ],
];

describe('variables in instructions', () => {
  it.each(envs)('%s', (_, lines, last, buildArgs = {}) => {
    expect(ownHistory(`FROM a\n${lines}`, { buildArgs }).at(-1)).toBe(last);
  });

  it('the escape directive changes what blocks them', () => {
    expect(ownHistory('# escape=`\nFROM a\nENV A=1\nENV B=`$A\\$A')).toContain('ENV B=$A\\1');
  });

  it('a trigger sees the stage that it runs in', () => {
    const text = 'FROM a AS x\nENV A=1\nONBUILD ENV B=$A C=x$D\nFROM x\nENV D=1';
    expect(ownHistory(text)).toEqual(['ENV A=1', 'ENV B=1 C=x', 'ENV D=1']);
  });

  it('the base image gives its environment', () => {
    const bases = { a: { config: { Env: ['A=1', 'B=x=y', 'C'] } } };
    expect(ownHistory('FROM a\nENV D=$A-$B-$C', { bases })).toEqual(['ENV D=1-x=y-']);
  });

  it('RUN has ENV and ARG in its environment, in the order of their first mention', () => {
    const { env } = lastStep('run', 'FROM a\nENV B=1\nARG A=2 C\nENV A=3 B=4\nRUN x');
    expect(env).toEqual([path, 'B=4', 'A=3']);
  });
});

const platforms: GraphOptions = {
  platform: { os: 'windows', architecture: 'arm', variant: 'v7', osVersion: '10.0.1' },
  buildPlatform: { os: 'linux', architecture: 'amd64', variant: 'v2', osVersion: '6' },
};

const predefined: readonly (readonly [name: string, value: string])[] = [
  ['TARGETPLATFORM', 'windows(10.0.1)/arm/v7'],
  ['TARGETOS', 'windows'],
  ['TARGETOSVERSION', '10.0.1'],
  ['TARGETARCH', 'arm'],
  ['TARGETVARIANT', 'v7'],
  ['BUILDPLATFORM', 'linux/amd64/v2'],
  ['BUILDOS', 'linux'],
  ['BUILDOSVERSION', '6'],
  ['BUILDARCH', 'amd64'],
  ['BUILDVARIANT', 'v2'],
  ['TARGETSTAGE', 'default'],
];

describe('a platform argument', () => {
  it.each(predefined)('%s is %s', (name, value) => {
    expect(ownHistory(`FROM a\nARG ${name}`, platforms)).toEqual([`ARG ${name}=${value}`]);
  });

  it.each(predefined)('%s is seen by FROM', (name) => {
    expect(graphOf(`FROM a:x\${${name}:+y}`, platforms).steps[0]).toMatchObject({ name: 'a:xy' });
  });

  it.each(predefined)('%s is given by --build-arg', (name) => {
    expect(ownHistory(`FROM a\nARG ${name}`, { buildArgs: { [name]: 'z' } })).toEqual([`ARG ${name}=z`]);
  });

  it.each(predefined)('%s takes a default, if it has one', (name) => {
    expect(ownHistory(`FROM a\nARG ${name}=z`, platforms)).toEqual([`ARG ${name}=z`]);
  });

  it('without variant and version is empty', () => {
    const names = ['TARGETVARIANT', 'TARGETOSVERSION', 'BUILDVARIANT', 'BUILDOSVERSION'];
    expect(ownHistory(`FROM a\nARG ${names.join(' ')}`)).toEqual([`ARG ${names.map((name) => `${name}=`).join(' ')}`]);
  });

  it('TARGETSTAGE is the target by name, else the last stage, else default', () => {
    const text = 'FROM a AS x\nARG TARGETSTAGE\nFROM a AS y\nARG TARGETSTAGE';
    expect(ownHistory(text, { target: 'x' })).toEqual(['ARG TARGETSTAGE=x']);
    expect(ownHistory(text)).toEqual(['ARG TARGETSTAGE=y']);
    expect(ownHistory('FROM a\nARG TARGETSTAGE')).toEqual(['ARG TARGETSTAGE=default']);
  });
});

const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'];

describe('a proxy argument', () => {
  it.each([...proxies, ...proxies.map((name) => name.toLowerCase())])('%s reaches RUN in both spellings', (name) => {
    const { env, proxyEnv } = lastStep('run', 'FROM a\nRUN x', { buildArgs: { [name]: 'p' } });
    expect({ env, proxyEnv }).toEqual({
      env: [path],
      proxyEnv: [`${name.toUpperCase()}=p`, `${name.toLowerCase()}=p`],
    });
  });

  it('is not in history', () => {
    expect(ownHistory('FROM a\nRUN x', { buildArgs: { HTTP_PROXY: 'p' } })).toEqual(['* RUN /bin/sh -c x # buildkit']);
  });

  it('that is declared is in history and the environment', () => {
    const options = { buildArgs: { http_proxy: 'p' } };
    const text = 'FROM a\nARG http_proxy\nRUN x';
    expect(ownHistory(text, options).at(-1)).toBe('* RUN |1 http_proxy=p /bin/sh -c x # buildkit');
    const { env, proxyEnv } = lastStep('run', text, options);
    expect({ env, proxyEnv }).toEqual({ env: [path, 'http_proxy=p'], proxyEnv: ['HTTP_PROXY=p'] });
  });

  it('that is declared in the other spelling has no value', () => {
    expect(ownHistory('FROM a\nARG http_proxy', { buildArgs: { HTTP_PROXY: 'p' } })).toEqual(['ARG http_proxy']);
  });

  it('is beaten by ENV', () => {
    const { env, proxyEnv } = lastStep('run', 'FROM a\nENV HTTP_PROXY=e\nRUN x', { buildArgs: { HTTP_PROXY: 'p' } });
    expect({ env, proxyEnv }).toEqual({ env: [path, 'HTTP_PROXY=e'], proxyEnv: ['http_proxy=p'] });
  });

  it('of another name does not reach RUN', () => {
    expect(lastStep('run', 'FROM a\nRUN x', { buildArgs: { RSYNC_PROXY: 'p', other: 'r' } }).proxyEnv).toEqual([]);
  });
});

describe('an argument for the builder', () => {
  it.each(['BUILDKIT_SBOM_SCAN_CONTEXT', 'BUILDKIT_SBOM_SCAN_STAGE'])('%s never reaches RUN or ENV', (name) => {
    const text = `FROM a\nARG ${name}=true\nENV A=x$${name}\nRUN x`;
    expect(ownHistory(text)).toEqual([`ARG ${name}=true`, 'ENV A=x', `* RUN |1 ${name}=true /bin/sh -c x # buildkit`]);
    expect(lastStep('run', text).env).toEqual([path, 'A=x']);
  });

  it.each(['BUILDKIT_INLINE_CACHE', 'BUILDKIT_MULTI_PLATFORM', 'BUILDKIT_SYNTAX'])('%s is like any other', (name) => {
    expect(lastStep('run', `FROM a\nARG ${name}\nRUN x`, { buildArgs: { [name]: '1' } }).env).toEqual([
      path,
      `${name}=1`,
    ]);
  });
});

describe('SOURCE_DATE_EPOCH', () => {
  it.each(['0', '1700000000', '-1', '+5', '', 'context', 'src', 'SRC'])('may be %j', (value) => {
    const options: GraphOptions = { buildArgs: { SOURCE_DATE_EPOCH: value }, contexts: { src: 'tree' } };
    expect(argsOf('FROM a\nARG SOURCE_DATE_EPOCH', options)).toBe(
      `|1 SOURCE_DATE_EPOCH=${/\d/.test(value) ? value : ''}`,
    );
  });

  it.each(['soon', '1.5', ' 5', '0x10', '1e9', '9'.repeat(19)])('may not be %j', (value) => {
    expect(() => graphOf('FROM a', { buildArgs: { SOURCE_DATE_EPOCH: value } })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: `invalid SOURCE_DATE_EPOCH: ${value}` }),
    );
  });

  it('may be a default before the first FROM', () => {
    expect(argsOf('ARG SOURCE_DATE_EPOCH=7\nFROM a\nARG SOURCE_DATE_EPOCH', {})).toBe('|1 SOURCE_DATE_EPOCH=7');
    expect(() => graphOf('ARG SOURCE_DATE_EPOCH=soon\nFROM a')).toThrow('invalid SOURCE_DATE_EPOCH: soon');
  });

  it('of a stage alone is only an argument', () => {
    expect(argsOf('FROM a\nARG SOURCE_DATE_EPOCH=soon', {})).toBe('|1 SOURCE_DATE_EPOCH=soon');
  });
});
