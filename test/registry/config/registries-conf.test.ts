import { describe, expect, it } from '@jest/globals';
import { matchEntry, relocate } from '../../../src/registry/config/match.ts';
import { mergeRegistriesConf, parseRegistriesConf } from '../../../src/registry/config/registries-conf.ts';

const parse = (text: string, kind?: 'main' | 'drop-in') => parseRegistriesConf({ path: '/r.conf', text }, kind);

describe('a registries.conf', () => {
  it('is read with everything that containers-registries.conf(5) knows', () => {
    const conf = parse(`unqualified-search-registries = ["docker.io", "quay.io"]
short-name-mode = "enforcing"
credential-helpers = ["containers-auth.json", "secretservice"]

[[registry]]
prefix = "example.com/foo"
location = "internal.example.net/bar"
insecure = true

[[registry.mirror]]
location = "mirror-0.local/mirror-for-foo"
[[registry.mirror]]
location = "mirror-1.local:5000/mirrors/foo/"
insecure = true
pull-from-mirror = "digest-only"

[[registry]]
location = "Blocked.Example"
blocked = true

[aliases]
"debian" = "docker.io/library/debian"
`);
    expect(conf.searchRegistries).toEqual({ values: ['docker.io', 'quay.io'], place: { source: '/r.conf', line: 1 } });
    expect(conf.shortNameMode).toEqual({ value: 'enforcing', place: { source: '/r.conf', line: 2 } });
    expect(conf.credentialHelpers?.values).toEqual(['containers-auth.json', 'secretservice']);
    expect(conf.aliases.get('debian')).toEqual({
      value: 'docker.io/library/debian',
      place: { source: '/r.conf', line: 22 },
    });
    expect([...conf.entries.values()]).toEqual([
      {
        prefix: 'example.com/foo',
        location: 'internal.example.net/bar',
        insecure: true,
        blocked: false,
        place: { source: '/r.conf', line: 5 },
        mirrors: [
          {
            location: 'mirror-0.local/mirror-for-foo',
            insecure: false,
            serves: 'all',
            place: { source: '/r.conf', line: 10 },
          },
          {
            location: 'mirror-1.local:5000/mirrors/foo',
            insecure: true,
            serves: 'digests',
            place: { source: '/r.conf', line: 12 },
          },
        ],
      },
      {
        prefix: 'blocked.example',
        location: undefined,
        insecure: false,
        blocked: true,
        mirrors: [],
        place: { source: '/r.conf', line: 17 },
      },
    ]);
    expect(conf.unknown).toEqual([]);
  });

  it.each([
    ['a mirror of an earlier registry keeps to it', 'all', 'pull-from-mirror = "all"'],
    ['tag-only', 'tags', 'pull-from-mirror = "tag-only"'],
    ['an empty text is all', 'all', 'pull-from-mirror = ""'],
  ])('mirrors: %s', (_name, serves, line) => {
    const conf = parse(`[[registry]]\nlocation = "a.io"\n[[registry.mirror]]\nlocation = "m.io"\n${line}`);
    expect(conf.entries.get('a.io')?.mirrors).toMatchObject([{ serves }]);
  });

  it('mirror-by-digest-only holds for all mirrors of the registry', () => {
    const conf = parse(
      '[[registry]]\nlocation="a.io"\nmirror-by-digest-only=true\n[[registry.mirror]]\nlocation="m.io"',
    );
    expect(conf.entries.get('a.io')?.mirrors).toMatchObject([{ serves: 'digests' }]);
  });

  it('of version 1 has lists of hosts', () => {
    const conf = parse(`[registries.search]
registries = ['one.com']
[registries.insecure]
registries = ['two.com', 'three.com']
[registries.block]
registries = ['three.com']`);
    expect(conf.searchRegistries?.values).toEqual(['one.com']);
    expect([...conf.entries.values()]).toMatchObject([
      { prefix: 'two.com', insecure: true, blocked: false },
      { prefix: 'three.com', insecure: true, blocked: true },
    ]);
  });

  it('names keys that nobody knows, and where they stand', () => {
    expect(parse('[[registry]]\nlocation = "a.io"\nblokced = true').unknown).toEqual([
      { key: 'blokced', place: { source: '/r.conf', line: 3 } },
    ]);
  });

  it.each([
    ['not TOML', 'a = \n', ':1: is not TOML'],
    ['a key twice', 'short-name-mode = "enforcing"\nshort-name-mode = "disabled"', ':2: is not TOML'],
    ['an unsafe key', '[__proto__]\na = 1', 'is not TOML'],
    ['the wrong type', '[[registry]]\nlocation = "a.io"\ninsecure = "yes"', ':3: insecure must be true or false'],
    ['a list of other things', 'unqualified-search-registries = ["a", 1]', ':1: unqualified-search-registries must be'],
    ['a registry that is no array', '[registry]\nlocation = "a.io"', ':1: registry must be an array of tables'],
    [
      'neither prefix nor location',
      '\n[[registry]]\ninsecure = true',
      ':2: a [[registry]] needs a prefix or a location',
    ],
    ['a prefix without a location', '[[registry]]\nprefix = "a.io"', ':2: a [[registry]] needs a location'],
    ['a URL', '[[registry]]\nlocation = "https://a.io"', 'without http:// or https://'],
    [
      'a wildcard in the middle',
      '[[registry]]\nprefix = "a.*.io"\nlocation = "b.io"',
      'a * stands at the beginning only',
    ],
    [
      'a wildcard with a path',
      '[[registry]]\nprefix = "*.io/a"\nlocation = "b.io"',
      'a * stands at the beginning only',
    ],
    ['a prefix with a tag', '[[registry]]\nprefix = "a.io/b:1"\nlocation = "b.io/b"', 'only repositories'],
    ['a path in capitals', '[[registry]]\nlocation = "a.io/B"', 'is no path of a repository'],
    [
      'a mirror without location',
      '[[registry]]\nlocation = "a.io"\n[[registry.mirror]]',
      ':3: a [[registry.mirror]] needs',
    ],
    [
      'an unknown kind of pull',
      '[[registry]]\nlocation = "a.io"\n[[registry.mirror]]\nlocation = "m.io"\npull-from-mirror = "some"',
      ':5: "some" is none of all, digest-only and tag-only',
    ],
    [
      'two ways to say the same',
      '[[registry]]\nlocation = "a.io"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "m.io"\npull-from-mirror = "all"',
      ':6: mirror-by-digest-only of the registry and pull-from-mirror exclude each other',
    ],
    ['an unknown mode', 'short-name-mode = "strict"', ':1: "strict" is none of enforcing'],
    ['both versions', '[registries.search]\nregistries = []\n[[registry]]\nlocation = "a.io"', 'version 1'],
    ['too deep', `a = ${'['.repeat(40)}${']'.repeat(40)}`, 'is not TOML'],
  ])('is refused with file and line: %s', (_name, text, message) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: 'CONFIG', message: expect.stringContaining(message) }),
    );
    expect(() => parse(text)).toThrow('/r.conf');
  });

  it('drop-ins must be of version 2', () => {
    expect(() => parse('[registries.search]\nregistries = []', 'drop-in')).toThrow('version 1');
  });

  it('an error never quotes the text of the file', () => {
    let message = '';
    try {
      parse('token = "hunter2 \n');
    } catch (error) {
      message = error instanceof Error ? `${error.message}${String(error.cause)}` : '';
    }
    expect(message).toContain('/r.conf:1');
    expect(message).not.toContain('hunter2');
  });

  it('laid over another replaces registries of the same prefix, lists as wholes, and aliases one by one', () => {
    const lower = parse(
      'unqualified-search-registries = ["a"]\n[[registry]]\nlocation = "a.io"\ninsecure = true\n[[registry]]\nlocation = "b.io"\n[aliases]\nx = "a.io/x"\ny = "a.io/y"',
    );
    const upper = parse('[[registry]]\nlocation = "a.io"\nblocked = true\n[aliases]\nx = "b.io/x"\ny = ""');
    const merged = mergeRegistriesConf(lower, upper);
    expect(merged.entries.get('a.io')).toMatchObject({ insecure: false, blocked: true });
    expect([...merged.entries.keys()]).toEqual(['a.io', 'b.io']);
    expect(merged.searchRegistries?.values).toEqual(['a']);
    expect([...merged.aliases].map(([name, { value }]) => [name, value])).toEqual([['x', 'b.io/x']]);
  });
});

describe('the registry entry of a name', () => {
  const conf = parse(`[[registry]]
location = "docker.io"
[[registry]]
prefix = "docker.io/library"
location = "corp.io/hub"
[[registry]]
prefix = "docker.io/library/debian"
location = "corp.io/debian"
[[registry]]
prefix = "*.example.com"
location = "inner.io/all"
[[registry]]
prefix = "*.sub.example.com"
[[registry]]
location = "exact.example.com"
[[registry]]
location = "a.io:5000"`);
  it.each([
    ['docker.io/x/y', 'docker.io', 'docker.io/x/y'],
    ['docker.io/library/alpine', 'docker.io/library', 'corp.io/hub/alpine'],
    ['docker.io/library/debian', 'docker.io/library/debian', 'corp.io/debian'],
    ['docker.io/library/debian/more', 'docker.io/library/debian', 'corp.io/debian/more'],
    ['docker.io/library/debianish', 'docker.io/library', 'corp.io/hub/debianish'],
    ['docker.io/libraryx/a', 'docker.io', 'docker.io/libraryx/a'],
    ['a.example.com/x', '*.example.com', 'inner.io/all/x'],
    ['b.a.example.com/x', '*.example.com', 'inner.io/all/x'],
    ['b.sub.example.com/x', '*.sub.example.com', 'b.sub.example.com/x'],
    ['exact.example.com/x', 'exact.example.com', 'exact.example.com/x'],
    ['a.io:5000/x', 'a.io:5000', 'a.io:5000/x'],
  ])('%s: the longest prefix, %s, leads to %s', (name, prefix, location) => {
    const match = matchEntry(conf.entries, name);
    expect(match?.entry.prefix).toBe(prefix);
    expect(relocate(name, match?.length ?? 0, match?.entry.location)).toBe(location);
  });

  it.each(['example.com/x', 'notexample.com/x', 'a.io/x', 'a.io:50001/x', 'xdocker.io/library/debian'])(
    '%s has none',
    (name) => {
      expect(matchEntry(conf.entries, name)).toBeUndefined();
    },
  );
});
