import { describe, expect, it } from '@jest/globals';
import { type BuildInputs, check, needKey, parse, parseIgnore } from '../../src/dockerfile/index.ts';
import type { ImageConfig } from '../../src/oci/index.ts';
import { type Base, graphOf, imageConfig, inputs } from './build-inputs.ts';

interface Options extends Partial<BuildInputs> {
  /** Configs of bases by name; every other one is a plain image. */
  readonly bases?: Readonly<Record<string, Base>>;
}

/** What is found, as `line rule`; several lines as `2-3`. */
function found(text: string, options: Options = {}): string[] {
  return reportOf(text, options).findings.map(
    ({ rule, range: { start, end } }) => `${start === end ? start : `${start}-${end}`} ${rule}`,
  );
}

function reportOf(text: string, { bases = {}, ...changes }: Options = {}) {
  const ast = parse(text);
  const given = inputs(changes);
  const configs = new Map<string, ImageConfig>();
  for (let open = check(ast, given, configs).unknown; open.length > 0; open = check(ast, given, configs).unknown) {
    for (const need of open) {
      configs.set(needKey(need), { ...imageConfig(bases[need.name]), platform: need.platform });
    }
  }
  return check(ast, given, configs);
}

/** Parts of a line of `hits`: a Dockerfile, and what is found in it (nothing for an empty text), parted by `;`. */
const hits: readonly (readonly [text: string, found: string])[] = [
  // StageNameCasing
  ['FROM a AS Build', '1 StageNameCasing'],
  ['FROM a AS build', ''],
  ['FROM a AS bUILD\nFROM b AS ok', '1 StageNameCasing'],
  ['FROM a', ''],
  // FromAsCasing
  ['FROM a as b', '1 FromAsCasing'],
  ['FROM a As b', '1 FromAsCasing'],
  ['from a AS b', '1 FromAsCasing'],
  ['from a as b', ''],
  ['FROM a AS b', ''],
  ['From a as b', '1 ConsistentInstructionCasing'],
  // NoEmptyContinuation
  ['FROM a\nRUN b \\\n\n c', '4 NoEmptyContinuation'],
  ['FROM a\nRUN b \\\n\n\n \\\n\n c', '7 NoEmptyContinuation'],
  ['FROM a\nRUN b \\\n# why\n c', ''],
  ['FROM a\nENV A=1 \\\n  \t\n B=2\nRUN x', '4 NoEmptyContinuation'],
  // ConsistentInstructionCasing
  ['FROM a\nrun b\nCOPY c d', '2 ConsistentInstructionCasing'],
  ['from a\nRUN b\ncopy c d', '2 ConsistentInstructionCasing'],
  ['from a\nrun b\ncopy c d', ''],
  ['FROM a\nRun b', '2 ConsistentInstructionCasing'],
  ['from a\nRun b', '2 ConsistentInstructionCasing'],
  ['FROM a\nrun b', '2 ConsistentInstructionCasing'],
  ['FROM a\nONBUILD run b', ''],
  ['arg A=1\nFROM a', ''],
  // DuplicateStageName
  ['FROM a AS x\nFROM b AS x', '2 DuplicateStageName'],
  ['FROM a AS x\nFROM b AS X', '2 StageNameCasing; 2 DuplicateStageName'],
  ['FROM a AS x\nFROM b AS y\nFROM c AS x\nFROM d AS x', '3 DuplicateStageName; 4 DuplicateStageName'],
  ['FROM a AS x\nFROM b AS y', ''],
  // ReservedStageName
  ['FROM a AS scratch', '1 ReservedStageName'],
  ['FROM a AS context', '1 ReservedStageName'],
  ['FROM a AS Context', '1 StageNameCasing; 1 ReservedStageName'],
  ['FROM scratch AS b', ''],
  // JSONArgsRecommended
  ['FROM a\nCMD b', '2 JSONArgsRecommended'],
  ['FROM a\nENTRYPOINT b c', '2 JSONArgsRecommended'],
  ["FROM a\nCMD ['b']", '2 JSONArgsRecommended'],
  ['FROM a\nCMD ["b"]\nENTRYPOINT ["c"]', ''],
  ['FROM a\nSHELL ["b"]\nCMD c', ''],
  ['FROM shelly\nCMD c', ''],
  ['FROM a\nRUN b', ''],
  ['FROM a\nHEALTHCHECK CMD b', ''],
  ['FROM a AS x\nONBUILD CMD b\nFROM x', '3 JSONArgsRecommended'],
  // MaintainerDeprecated
  ['FROM a\nMAINTAINER me', '2 MaintainerDeprecated'],
  ['FROM a\nLABEL org.opencontainers.image.authors=me', ''],
  // UndefinedArgInFrom
  ['FROM a$B', '1 UndefinedArgInFrom'],
  ['ARG B\nFROM a$B', ''],
  ['FROM a\nARG B=1\nFROM c$B', '3 UndefinedArgInFrom'],
  ['FROM --platform=linux/${ARCH:-amd64} a', '1 UndefinedArgInFrom'],
  ['FROM ${X:-a}', '1 UndefinedArgInFrom'],
  ['FROM --platform=$BUILDPLATFORM a', ''],
  ['FROM a-$TARGETARCH', ''],
  // WorkdirRelativePath
  ['FROM a\nWORKDIR b', '2 WorkdirRelativePath'],
  ['FROM a\nWORKDIR /b\nWORKDIR c', ''],
  ['FROM a\nWORKDIR b\nWORKDIR c', '2 WorkdirRelativePath'],
  ['FROM worker\nWORKDIR b', '2 WorkdirRelativePath'],
  ['FROM a AS x\nWORKDIR /b\nFROM x\nWORKDIR c', ''],
  ['FROM a\nARG D=/x\nWORKDIR $D', ''],
  ['FROM a\nARG D=x\nWORKDIR $D', '3 WorkdirRelativePath'],
  ['FROM a AS x\nONBUILD WORKDIR b\nFROM x', '3 WorkdirRelativePath'],
  // UndefinedVar
  ['FROM a\nENV B=$C', '2 UndefinedVar'],
  ['FROM a\nENV B=${C:-1}', '2 UndefinedVar'],
  ['FROM a\nENV B=$B', '2 UndefinedVar'],
  ['FROM a\nENV B=1\nENV C=$B', ''],
  ['FROM a\nENV B=1 C=$B', '2 UndefinedVar'],
  ['FROM a\nARG B\nENV C=$B', ''],
  ['ARG B=1\nFROM a\nENV C=$B', '3 UndefinedVar'],
  ['FROM a\nENV P=$PATH', ''],
  ['FROM envy\nENV C=$SET', ''],
  ["FROM a\nENV B=\\$C D='$C'", ''],
  ['FROM a\nCOPY $B /', '2 UndefinedVar'],
  ['FROM a\nCOPY --chown=$B c d', '2 UndefinedVar'],
  ['FROM a\nCOPY <<E /f\n$B\nE', '2-4 UndefinedVar'],
  ['FROM a\nCOPY <<"E" /f\n$B\nE', ''],
  ['FROM a\nRUN echo $B', ''],
  ['FROM a\nRUN --mount=type=cache,target=$B c', '2 UndefinedVar'],
  ['FROM a\nWORKDIR /$B/$C', '2 UndefinedVar; 2 UndefinedVar'],
  ['FROM a\nUSER $B', '2 UndefinedVar'],
  ['FROM a\nVOLUME /$B', '2 UndefinedVar'],
  ['FROM a\nLABEL a=$B', '2 UndefinedVar'],
  ['FROM a\nEXPOSE ${B:-80}', ''],
  ['FROM a\nCMD ["$B"]', ''],
  ['FROM a\nARG B=$C', '2 UndefinedVar'],
  ['FROM a\nARG TARGETARCH\nENV C=$TARGETARCH', ''],
  ['FROM a\nENV C=$TARGETARCH', '2 UndefinedVar'],
  ['FROM a AS x\nENV B=1\nFROM x\nENV C=$B', ''],
  ['FROM a AS x\nENV B=1\nFROM a\nENV C=$B', '4 UndefinedVar'],
  // MultipleInstructionsDisallowed
  ['FROM a\nCMD ["b"]\nCMD ["c"]', '2 MultipleInstructionsDisallowed'],
  ['FROM a\nCMD ["b"]\nCMD ["c"]\nCMD ["d"]', '2 MultipleInstructionsDisallowed; 3 MultipleInstructionsDisallowed'],
  ['FROM a\nENTRYPOINT ["b"]\nENTRYPOINT ["c"]', '2 MultipleInstructionsDisallowed'],
  ['FROM a\nHEALTHCHECK NONE\nHEALTHCHECK CMD b', '2 MultipleInstructionsDisallowed'],
  ['FROM a\nCMD ["b"]\nFROM a\nCMD ["c"]', ''],
  ['FROM a AS x\nCMD ["b"]\nFROM x\nCMD ["c"]', ''],
  // LegacyKeyValueFormat
  ['FROM a\nENV b c', '2 LegacyKeyValueFormat'],
  ['FROM a\nLABEL b c d', '2 LegacyKeyValueFormat'],
  ['FROM a\nENV b c=d', '2 LegacyKeyValueFormat'],
  ['FROM a\nENV b=c d=e', ''],
  ['FROM a\nENV b \\\n c', '2-3 LegacyKeyValueFormat'],
  // InvalidBaseImagePlatform: see below
  // RedundantTargetPlatform
  ['FROM --platform=$TARGETPLATFORM a', '1 RedundantTargetPlatform'],
  ['FROM --platform=${TARGETPLATFORM} a', '1 RedundantTargetPlatform'],
  ['FROM --platform=$TARGETOS/$TARGETARCH a', ''],
  // SecretsUsedInArgOrEnv
  ['FROM a\nENV API_KEY=x', '2 SecretsUsedInArgOrEnv'],
  ['FROM a\nARG github_token', '2 SecretsUsedInArgOrEnv'],
  ['FROM a\nENV PASSWORD=x APIKEY=y OK=z', '2 SecretsUsedInArgOrEnv; 2 SecretsUsedInArgOrEnv'],
  ['FROM a\nENV AUTH=x', '2 SecretsUsedInArgOrEnv'],
  ['FROM a\nENV PUBLIC_KEY=x KEY_FILE=y TOKEN_VERSION=z', ''],
  ['FROM a\nENV MONKEY=x KEYS=y TOKENIZER=z', ''],
  ['ARG SECRET=x\nFROM a', ''],
  ['FROM a\nLABEL password=x', ''],
  // InvalidDefaultArgInFrom
  ['ARG B\nFROM a:$B', '2 InvalidDefaultArgInFrom'],
  ['ARG B=1\nFROM a:$B', ''],
  ['ARG B\nFROM $B', '2 InvalidDefaultArgInFrom'],
  ['ARG B\nFROM ${B:-a}', ''],
  // FromPlatformFlagConstDisallowed
  ['FROM --platform=linux/amd64 a', '1 FromPlatformFlagConstDisallowed'],
  ['FROM --platform=linux/amd64 a AS b', '1 FromPlatformFlagConstDisallowed'],
  ['FROM --platform=linux/amd64 a AS for-amd64', ''],
  ['FROM --platform=linux/amd64 a AS linux-b', ''],
  ['FROM --platform=linux/${TARGETARCH} a', ''],
  // ExposeProtoCasing, ExposeInvalidFormat
  ['FROM a\nEXPOSE 80/TCP', '2 ExposeProtoCasing'],
  ['FROM a\nEXPOSE 80/Udp 81/tcp 82', '2 ExposeProtoCasing'],
  ['FROM a\nEXPOSE 8080:80', '2 ExposeInvalidFormat'],
  ['FROM a\nEXPOSE 127.0.0.1:8080:80/TCP', '2 ExposeProtoCasing; 2 ExposeInvalidFormat'],
  ['FROM a\nEXPOSE [::1]:80:80', '2 ExposeInvalidFormat'],
  ['FROM a\nARG P=80/UDP\nEXPOSE $P', '3 ExposeProtoCasing'],
  // InvalidDefinitionDescription, which is asked only where it is named
  ['# about\nFROM a AS b', ''],
  ['# check=experimental=all\n# about\nFROM a AS b', '3 InvalidDefinitionDescription'],
  ['# check=experimental=InvalidDefinitionDescription\n# b is it\nFROM a AS b', ''],
  ['# check=experimental=all\n# about\n\nFROM a AS b', '4 InvalidDefinitionDescription'],
  ['# check=experimental=all\n# about\n#\nFROM a AS b', ''],
  ['# check=experimental=all\n# about\nFROM a', ''],
  ['# check=experimental=all\n# x\nARG B C\nFROM a', '3 InvalidDefinitionDescription'],
  ['# check=experimental=all\n# C is it\nARG B C\nFROM a', ''],
];

const settings: Options = {
  bases: {
    shelly: { config: { Shell: ['bash', '-c'] } },
    worker: { config: { WorkingDir: '/w' } },
    envy: { config: { Env: ['SET=1'] } },
  },
};

describe('checks find', () => {
  it.each(hits)('%j: %s', (text, expected) => {
    expect(found(text, settings).join('; ')).toBe(expected);
  });

  it('a base for another platform', () => {
    const configs = new Map([
      ['a linux/amd64', { ...imageConfig(), platform: { os: 'linux', architecture: 'arm64' } }],
    ]);
    const { findings } = check(parse('FROM a'), inputs(), configs);
    expect(findings.map(({ rule, message, url }) => ({ rule, message, url }))).toEqual([
      {
        rule: 'InvalidBaseImagePlatform',
        message: 'Base image a was pulled with platform "linux/arm64", expected "linux/amd64" for current build',
        url: undefined,
      },
    ]);
  });

  it('nothing that only a build argument makes wrong', () => {
    expect(found('ARG B=1\nFROM a:$B', { buildArgs: { B: '2' } })).toEqual([]);
  });

  it('all stages, or those that the target needs', () => {
    const text = 'FROM a AS x\nENV b c\nFROM a AS y\nENV d e\nFROM y';
    expect(found(text)).toEqual(['2 LegacyKeyValueFormat', '4 LegacyKeyValueFormat']);
    expect(found(text, { target: 'y' })).toEqual(['4 LegacyKeyValueFormat']);
  });
});

describe('files that .dockerignore keeps away', () => {
  const cases: readonly (readonly [ignore: string, instruction: string, hit: boolean])[] = [
    ['a', 'COPY a /', true],
    ['a', 'COPY ./a/ /', true],
    ['a', 'COPY /a /', true],
    ['a', 'COPY a/b /', true],
    ['*.md', 'COPY x.md /', true],
    ['*.md', 'COPY *.md /', true],
    ['a', 'ADD a /', true],
    ['a', 'COPY b /', false],
    ['a', 'COPY . /', false],
    ['*', 'COPY . /', true],
    ['**', 'COPY / /', true],
    ['*.md', 'COPY . /', false],
    ['*\n!a', 'COPY b /', false],
    ['a', 'COPY --from=b a /', false],
    ['a', 'ADD https://example.com/a /', false],
    ['a', 'COPY <<a /\na', false],
  ];

  it.each(cases)('%j, %s: %s', (ignore, instruction, hit) => {
    expect(found(`FROM x\n${instruction}`, { ignore: parseIgnore(ignore) }).length).toBe(hit ? 1 : 0);
  });

  it('are named', () => {
    const { findings } = reportOf('FROM x\nADD ./a b/', { ignore: ['a'] });
    expect(findings[0]).toMatchObject({
      rule: 'CopyIgnoredFile',
      message: 'Attempting to Add file "a" that is excluded by .dockerignore',
      start: { line: 2, column: 5 },
      end: { line: 2, column: 8 },
    });
  });
});

const words: readonly (readonly [text: string, message: string])[] = [
  ['FROM a AS Build', "Stage name 'Build' should be lowercase"],
  ['FROM a as b', "'as' and 'FROM' keywords' casing do not match"],
  ['FROM a\nRUN b \\\n\n c', 'Empty continuation line'],
  ['FROM a\nrun b', "Command 'run' should match the case of the command majority (uppercase)"],
  ['from a\nRUN b\nrun c', "Command 'RUN' should match the case of the command majority (lowercase)"],
  ['FROM a AS x\nFROM a AS x', 'Duplicate stage name "x", stage names should be unique'],
  ['FROM a AS scratch', 'Stage name should not use the same name as reserved stage "scratch"'],
  ['FROM a\nCMD b', 'JSON arguments recommended for CMD to prevent unintended behavior related to OS signals'],
  ['FROM a\nMAINTAINER b', 'Maintainer instruction is deprecated in favor of using label'],
  ['FROM ${B:-a}', "FROM argument 'B' is not declared"],
  ['ARG VERSION=1\nFROM a:${VERSON:-1}', "FROM argument 'VERSON' is not declared (did you mean VERSION?)"],
  ['FROM a\nWORKDIR b', 'Relative workdir "b" can have unexpected results if the base image changes'],
  ['FROM a\nUSER $B', "Usage of undefined variable '$B'"],
  ['FROM a\nENV USERNAME=x\nUSER $USERNAM', "Usage of undefined variable '$USERNAM' (did you mean $USERNAME?)"],
  [
    'FROM a\nCMD []\nCMD []',
    'Multiple CMD instructions should not be used in the same stage because only the last one will be used',
  ],
  ['FROM a\nENV b c', '"ENV key=value" should be used instead of legacy "ENV key value" format'],
  [
    'FROM --platform=$TARGETPLATFORM a',
    'Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
  ],
  ['FROM a\nARG KEY', 'Do not use ARG or ENV instructions for sensitive data (ARG "KEY")'],
  ['ARG B\nFROM a:$B', 'Default value for ARG a:$B results in empty or invalid base image name'],
  ['FROM --platform=linux/arm64 a', 'FROM --platform flag should not use constant value "linux/arm64"'],
  ['FROM a\nEXPOSE 80/TCP', "Defined protocol '80/TCP' in EXPOSE instruction should be lowercase"],
  ['FROM a\nEXPOSE 80:80', "EXPOSE instruction should not define an IP address or host-port mapping, found '80:80'"],
  ['# check=experimental=all\n# x\nFROM a AS b', 'Comment for FROM should follow the format: `# b <description>`'],
  [
    '# check=experimental=all\n# x\nARG B C\nFROM a',
    'Comment for ARG should follow the format: `# <arg_key> <description>`',
  ],
];

describe('a finding says', () => {
  it.each(words)('%j: %s', (text, message) => {
    expect(reportOf(text).findings[0]?.message).toBe(message);
  });

  it('what its rule is about, and where to read on', () => {
    expect(reportOf('FROM a\nCMD b').findings[0]).toEqual({
      rule: 'JSONArgsRecommended',
      description: 'JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals',
      message: 'JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
      url: 'https://docs.docker.com/go/dockerfile/rule/json-args-recommended/',
      range: { start: 2, end: 2 },
      start: { line: 2, column: 1 },
      end: { line: 2, column: 4 },
      fix: { title: 'write ["b"]', edits: [{ start: 11, end: 12, text: '["b"]' }] },
    });
  });

  it.each([
    ['FROM a AS Build', '1:11-1:16'],
    ['FROM a as b', '1:8-1:10'],
    ['FROM a\nENV A=1 \\\n  B=$C', '3:5-3:7'],
    ['FROM a\nEXPOSE 80 \\\n 81/TCP', '3:2-3:8'],
    ['FROM --platform=linux/arm64 a', '1:6-1:28'],
    ['FROM a\nARG A B_TOKEN=$A', '2:7-2:14'],
    ['FROM scratch\nENV B=1 C=${X:-y}', '2:11-2:14'],
    ['FROM scratch\nENV AB=1\nWORKDIR /${AB}$AB${A}', '3:18-3:22'],
    ['FROM --platform=linux/${PP} a', '1:23-1:28'],
  ])('of %j the very words: %s', (text, place) => {
    const [{ start, end } = { start: undefined, end: undefined }] = reportOf(text).findings;
    expect(`${start?.line}:${start?.column}-${end?.line}:${end?.column}`).toBe(place);
  });
});

const skipped: readonly (readonly [text: string, found: string])[] = [
  ['# check=skip=all\nFROM a as B\nCMD c', ''],
  ['# check=skip=FromAsCasing\nFROM a as B', '2 StageNameCasing'],
  ['# check=skip=FromAsCasing,StageNameCasing\nFROM a as B', ''],
  ['# check=skip= FromAsCasing , StageNameCasing\nFROM a as B', '2 StageNameCasing; 2 FromAsCasing'],
  ['# check=skip=Nope\nFROM a as b', '2 FromAsCasing'],
  ['# CHECK = skip=FromAsCasing\nFROM a as b', ''],
  ['# escape=`\n# check=skip=FromAsCasing\nFROM a as b', ''],
  ['# check=error=true;skip=FromAsCasing\nFROM a as b', ''],
  ['FROM a\n# check=skip=FromAsCasing\nFROM b as c', ''],
  ['FROM a\n# why\n# check=skip=FromAsCasing\nFROM b as c', ''],
  ['FROM a\n# check=skip=FromAsCasing\n#\nFROM b as c', '4 FromAsCasing'],
  ['FROM a\n# check=skip=FromAsCasing\nRUN x\nFROM b as c', '4 FromAsCasing'],
  ['FROM a\n# check=skip=UndefinedVar\nENV b=$c\nENV d=$e', '4 UndefinedVar'],
  ['FROM a\n# check=skip=all\nENV b $c', ''],
  ['FROM a\n# check=skip=LegacyKeyValueFormat\nENV b $c', '3 UndefinedVar'],
  ['FROM a\n# check=nonsense\nENV b c', '3 LegacyKeyValueFormat'],
  ['FROM a\n# check=skip=ConsistentInstructionCasing\nrun b', '3 ConsistentInstructionCasing'],
  ['FROM a\n# check=experimental=all\n# x\nARG B', '4 InvalidDefinitionDescription'],
];

describe('what may be skipped', () => {
  it.each(skipped)('%j: %s', (text, expected) => {
    expect(found(text).join('; ')).toBe(expected);
  });

  it('can be told by a build argument, which beats the file', () => {
    const buildArgs = { BUILDKIT_DOCKERFILE_CHECK: 'skip=LegacyKeyValueFormat' };
    expect(found('# check=skip=all\nFROM a as b\nENV c d', { buildArgs })).toEqual(['2 FromAsCasing']);
  });

  it.each([
    ['skip', 'failed to parse check options: invalid check option "skip"'],
    ['foo=1', 'failed to parse check options: invalid check option "foo"'],
    ['error=maybe', 'failed to parse check options: failed to parse check option "error=maybe": "maybe" is no boolean'],
    ['skip=A;', 'failed to parse check options: invalid check option ""'],
    ['skip=A;error=1;experimental=B;x', undefined],
  ])('# check=%s: %s', (option, message) => {
    const { error } = reportOf(`# check=${option}\nFROM a`);
    expect(error?.message).toBe(message);
    const hint = 'it is written # check=skip=RULE,RULE|all;error=true;experimental=RULE|all';
    expect(error?.hint).toBe(message === undefined ? undefined : hint);
  });
});

describe('a report', () => {
  it('has what was found before an error, and the error', () => {
    const { findings, error } = reportOf('FROM a as b\nENV c d\nENV e=${');
    expect(findings.map(({ rule }) => rule)).toEqual(['FromAsCasing', 'LegacyKeyValueFormat']);
    expect(error).toMatchObject({ code: 'BAD_SUBSTITUTION', position: { line: 3, column: 7 } });
  });

  it('says nothing of variables that an unknown base may set', () => {
    const report = check(
      parse('FROM a AS x\nENV b=$C\nFROM x\nWORKDIR d$E\nFROM scratch\nENV f=$G'),
      inputs(),
      new Map(),
    );
    expect(report.findings.map(({ rule, range }) => `${range.start} ${rule}`)).toEqual([
      '4 WorkdirRelativePath',
      '6 UndefinedVar',
    ]);
    expect(report.unknown.map(({ name }) => name)).toEqual(['a']);
  });

  it('stops a build where the file wants findings to be errors', () => {
    expect(() => graphOf('# check=error=true\nFROM a as b\nENV c d\nENV e f')).toThrow(
      expect.objectContaining({
        code: 'CHECK_FAILED',
        message: 'lint violation found for rules: FromAsCasing, LegacyKeyValueFormat',
        hint: 'the file says # check=error=true; slipway check shows what was found where',
      }),
    );
  });

  it('tells whether the file wants findings to be errors', () => {
    expect(reportOf('# check=error=true\nFROM a').failOnFindings).toBe(true);
    expect(reportOf('FROM a').failOnFindings).toBe(false);
  });
});
