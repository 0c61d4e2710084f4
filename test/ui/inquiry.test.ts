import { describe, expect, it } from '@jest/globals';
import { parsePlatform } from '../../src/oci/index.ts';
import { inquiryOf, type InquiryValues, parsePlatforms } from '../../src/ui/index.ts';

const ask = (flags: Partial<InquiryValues>) =>
  inquiryOf({ print: undefined, format: undefined, call: undefined, check: false, ...flags });

describe('what is asked of a Dockerfile', () => {
  it.each<readonly [flags: Partial<InquiryValues>, inquiry: ReturnType<typeof inquiryOf>]>([
    [{}, undefined],
    [{ call: 'build' }, undefined],
    [{ call: 'build,format=json' }, undefined],
    [{ print: 'ast' }, { about: 'ast', format: 'json' }],
    [
      { print: 'stages', format: 'json' },
      { about: 'stages', format: 'json' },
    ],
    [{ print: 'graph' }, { about: 'graph', format: 'json' }],
    [
      { print: 'graph', format: 'mermaid' },
      { about: 'graph', format: 'mermaid' },
    ],
    [
      { print: 'graph', format: 'dot', call: 'build' },
      { about: 'graph', format: 'dot' },
    ],
    [{ call: 'targets' }, { about: 'targets', format: 'text' }],
    [{ call: 'targets,format=json' }, { about: 'targets', format: 'json' }],
    [{ call: 'targets,format=json,format=text' }, { about: 'targets', format: 'text' }],
    [{ call: 'outline' }, { about: 'outline', format: 'text', ignoreStatus: false }],
    [{ call: 'check,format=json' }, { about: 'check', format: 'json', ignoreStatus: false }],
    [{ call: 'lint,ignorestatus=true' }, { about: 'check', format: 'text', ignoreStatus: true }],
    [{ check: true }, { about: 'check', format: 'text', ignoreStatus: false }],
  ])('%j', (flags, inquiry) => {
    expect(ask(flags)).toEqual(inquiry);
  });

  it.each<readonly [flags: Partial<InquiryValues>, message: RegExp]>([
    [{ format: 'json' }, /--format belongs to --print/],
    [{ call: 'targets', format: 'json' }, /--format belongs to --print/],
    [{ print: 'ast', format: 'dot' }, /--format dot draws graphs: it needs --print=graph, not --print=ast/],
    [{ print: 'stages', format: 'mermaid' }, /--format mermaid draws graphs/],
    [{ print: 'graph', call: 'targets' }, /--print and --call cannot be used together/],
    [{ print: 'graph', check: true }, /--print and --check cannot be used together/],
    [{ call: 'check', check: true }, /--check and --call cannot be used together/],
    [{ call: 'nothing' }, /--call=nothing is not supported/],
    [{ call: '' }, /--call= is not supported/],
    [{ call: 'targets,format=xml' }, /invalid attribute "format=xml" of --call/],
    [{ call: 'targets,' }, /invalid attribute "" of --call/],
  ])('%j is refused', (flags, message) => {
    expect(() => ask(flags)).toThrow(
      expect.objectContaining({ exitCode: 125, message: expect.stringMatching(message) }),
    );
  });
});

describe('platforms', () => {
  it('count once each', () => {
    expect(parsePlatforms(['linux/arm64', 'linux/amd64', 'linux/aarch64/v8'])).toEqual(
      ['linux/arm64', 'linux/amd64'].map(parsePlatform),
    );
    expect(parsePlatforms()).toEqual([]);
  });
});
