import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { digestOf, historyByLayer, parseImageConfig, serializeConfig } from '../../src/oci/index.ts';
import { configs } from './arbitraries.ts';

const diffId = digestOf('layer');
const minimal = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [diffId] } };
const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const parse = (more: object): ReturnType<typeof parseImageConfig> => parseImageConfig(bytes({ ...minimal, ...more }));

describe('parseImageConfig', () => {
  it('reads the least that a config has', () => {
    expect(parse({})).toEqual({
      platform: { os: 'linux', architecture: 'amd64' },
      config: {},
      diffIds: [diffId],
      history: [],
    });
  });

  it('reads what docker writes', () => {
    const config = parse({
      created: '2024-05-01T10:00:00.123456789Z',
      container: 'abc',
      docker_version: '20.10',
      variant: 'v8',
      config: {
        Hostname: '',
        User: 'app',
        ExposedPorts: { '80/tcp': {}, '443/tcp': {} },
        Env: ['A=b'],
        Cmd: null,
        Volumes: null,
        Entrypoint: 'one word',
        Healthcheck: { Test: ['CMD', 'true'], Interval: 30_000_000_000 },
        Labels: { a: 'b' },
      },
      history: [
        { created_by: '/bin/sh -c #(nop)', empty_layer: true },
        { created_by: 'COPY', empty_layer: false },
      ],
    });
    expect(config).toEqual({
      platform: { os: 'linux', architecture: 'amd64', variant: 'v8' },
      created: '2024-05-01T10:00:00.123456789Z',
      config: {
        User: 'app',
        ExposedPorts: ['443/tcp', '80/tcp'],
        Env: ['A=b'],
        Entrypoint: ['one word'],
        Healthcheck: { Test: ['CMD', 'true'], Interval: 30_000_000_000 },
        Labels: { a: 'b' },
        extra: { Hostname: '' },
      },
      diffIds: [diffId],
      history: [{ createdBy: '/bin/sh -c #(nop)', emptyLayer: true }, { createdBy: 'COPY' }],
      extra: { container: 'abc', docker_version: '20.10' },
    });
  });

  it.each<[string, unknown]>([
    ['no processor', { ...minimal, architecture: undefined }],
    ['no rootfs', { ...minimal, rootfs: undefined }],
    ['rootfs of another type', { ...minimal, rootfs: { type: 'layers+base', diff_ids: [] } }],
    ['a diffID that is no digest', { ...minimal, rootfs: { type: 'layers', diff_ids: ['sha256:x'] } }],
    ['Env that is no list', { ...minimal, config: { Env: { A: 'b' } } }],
    ['Env of numbers', { ...minimal, config: { Env: [1] } }],
    ['labels that are no strings', { ...minimal, config: { Labels: { a: {} } } }],
    ['ports as a list', { ...minimal, config: { ExposedPorts: ['80'] } }],
    ['a time that is none', { ...minimal, created: 'yesterday' }],
    ['history that is no list', { ...minimal, history: {} }],
    ['history of strings', { ...minimal, history: ['x'] }],
    ['a list', []],
  ])('refuses %s', (_name, value) => {
    expect(() => parseImageConfig(bytes(value))).toThrow(expect.objectContaining({ code: 'INVALID_CONFIG' }));
  });

  it('is the same after writing and reading', () => {
    fc.assert(
      fc.property(configs, (config) => {
        const written = serializeConfig(config);
        expect(parseImageConfig(written)).toEqual(config);
        expect(serializeConfig(parseImageConfig(written))).toEqual(written);
      }),
    );
  });

  it('keeps a member called __proto__ as data', () => {
    const config = parseImageConfig(
      Buffer.from(`{"architecture":"a","os":"b","rootfs":{"type":"layers"},"__proto__":{"polluted":1}}`),
    );
    expect(config).not.toHaveProperty('polluted');
    expect(serializeConfig(config).toString()).toContain('"__proto__":{"polluted":1}');
  });
});

it('a config is written as BuildKit writes it', () => {
  const written = serializeConfig({
    platform: { os: 'linux', architecture: 'amd64' },
    created: '2024-01-01T00:00:00Z',
    config: { Cmd: ['sh'], Env: ['A=1'], ExposedPorts: ['80/tcp'], WorkingDir: '/' },
    diffIds: [diffId],
    history: [{ createdBy: 'CMD ["sh"]', comment: 'buildkit.dockerfile.v0', emptyLayer: true }],
  });
  expect(written.toString()).toBe(
    '{"architecture":"amd64","config":{"ExposedPorts":{"80/tcp":{}},"Env":["A=1"],"Cmd":["sh"],"WorkingDir":"/"},' +
      '"created":"2024-01-01T00:00:00Z",' +
      '"history":[{"created_by":"CMD [\\"sh\\"]","comment":"buildkit.dockerfile.v0","empty_layer":true}],' +
      `"os":"linux","rootfs":{"type":"layers","diff_ids":["${diffId}"]}}`,
  );
});

describe('historyByLayer', () => {
  it('gives each layer its item', () => {
    const config = parse({ history: [{ created_by: 'a', empty_layer: true }, { created_by: 'b' }] });
    expect(historyByLayer(config)).toEqual([{ createdBy: 'b' }]);
  });
  it('gives none where the numbers disagree', () => {
    expect(historyByLayer(parse({ history: [{ created_by: 'a' }, { created_by: 'b' }] }))).toEqual([undefined]);
  });
});
