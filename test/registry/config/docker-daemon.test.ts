import { describe, expect, it } from '@jest/globals';
import { parseDockerDaemon } from '../../../src/registry/config/docker-daemon.ts';

const parse = (text: string) => parseDockerDaemon({ path: '/d.json', text });

describe("dockerd's daemon.json", () => {
  it('gives mirrors of the Hub and insecure registries, and leaves the rest alone', () => {
    const daemon = parse(`{
  "debug": "whatever",
  "insecure-registries": ["http://A.corp:5000/", "10.0.0.0/8"],
  "registry-mirrors": ["https://mirror.corp:5000", "http://10.0.0.1/hub/"]
}`);
    expect(daemon.insecure).toEqual([
      { value: 'a.corp:5000', place: { source: '/d.json', line: 3 } },
      { value: '10.0.0.0/8', place: { source: '/d.json', line: 3 } },
    ]);
    expect(daemon.mirrors.map(({ url, place }) => [url.href, place.line])).toEqual([
      ['https://mirror.corp:5000/', 4],
      ['http://10.0.0.1/hub/', 4],
    ]);
  });

  it.each([
    ['empty', ''],
    ['without them', '{}'],
  ])('may be %s', (_name, text) => {
    expect(parse(text)).toEqual({ mirrors: [], insecure: [] });
  });

  it.each([
    ['not JSON', '{\n "a": hunter2\n}', '/d.json: is not JSON'],
    ['not JSON, where the parser tells the line', '{\n "a": "hunter2" "b"\n}', '/d.json:2: is not JSON'],
    ['a list', '[]', '/d.json: is not a JSON object'],
    ['a mirror that is no list', '{\n"registry-mirrors": "hunter2"}', '/d.json:2: registry-mirrors must be a list'],
    ['a mirror without scheme', '{"registry-mirrors": ["m.corp:5000"]}', 'is not an http or https URL'],
    ['a mirror with a user', '{"registry-mirrors": ["https://u:hunter2@m.corp"]}', 'has a user, a query or a fragment'],
  ])('is refused, without quoting it: %s', (_name, text, message) => {
    expect(() => parse(text)).toThrow(message);
    expect(() => parse(text)).not.toThrow('hunter2');
  });
});
