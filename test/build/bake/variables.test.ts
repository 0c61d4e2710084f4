import { describe, expect, it } from '@jest/globals';
import { define } from './worth.ts';

/** A variable's block, what the environment has, and what it is worth then. */
const worths: readonly (readonly [string, Readonly<Record<string, string>>, string | undefined])[] = [
  ['', {}, ''],
  ['', { V: 'x' }, 'x'],
  ['default = "a"', {}, 'a'],
  ['default = "a"', { V: '' }, ''],
  ['default = null', {}, undefined],
  ['default = null', { V: 'x' }, 'x'],
  ['default = 1', { V: '2.50' }, '2.5'],
  ['default = true', { V: '0' }, 'false'],
  ['default = ["a"]', {}, '["a"]'],
  ['type = string', {}, undefined],
  ['type = string\ndefault = 5', {}, '5'],
  ['type = bool\ndefault = "true"', { V: 'F' }, 'false'],
  ['type = number', { V: '1e2' }, '100'],
  ['type = list(string)', { V: 'a,"b,c",' }, '["a","b,c",""]'],
  ['type = list(number)', { V: '1,2' }, '[1,2]'],
  ['type = set(string)', { V: 'b,a,b' }, '["a","b"]'],
  ['type = tuple([string, number])', { V: 'a,1' }, '["a",1]'],
  ['type = map(number)', { V: 'a:1,b:2' }, '{"a":1,"b":2}'],
  ['type = list(string)', { V_JSON: '["x"]' }, '["x"]'],
  ['type = list(string)', { V: 'a', V_JSON: '["x"]' }, '["x"]'],
  ['type = object({ a = string, b = optional(number) })', { V_JSON: '{"a": 1}' }, '{"a":"1","b":null}'],
  ['type = any\ndefault = ["b", 1]', {}, '["b",1]'],
  ['default = "a"', { V_JSON: '"x"' }, 'a'],
];

describe('a variable', () => {
  it.each(worths)('%j with %j is worth %j', async (block, environment, expected) => {
    const { variables } = await define({ 'a.hcl': `variable "V" {\n${block}\n}\n` }, { environment });
    expect(variables[0]?.value).toBe(expected);
  });

  it.each(['toString', 'constructor', '__proto__'])('may be called %s', async (name) => {
    const text = `variable "${name}" {}\nvariable "V" { default = "a${'${'}${name}}b" }\n`;
    expect((await define({ 'a.hcl': text })).variables.map(({ value }) => value)).toEqual(['', 'ab']);
  });

  const refused: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
    ['default = 1', { V: 'x' }, 'is not a number'],
    ['default = true', { V: 'maybe' }, 'is not a bool'],
    ['default = ["a"]', { V: 'x' }, 'it needs a type to be set from outside'],
    ['type = object({ a = string })', { V: 'x' }, 'set V_JSON instead'],
    ['type = tuple([string])', { V: 'a,b' }, 'has 1 elements, but 2 are given'],
    ['type = map(string)', { V: 'a' }, 'is not key:value'],
    ['type = list(list(string))', { V: 'a' }, 'set V_JSON'],
    ['type = list(string)', { V_JSON: '[' }, 'a JSON value is expected'],
    ['type = list(number)', { V_JSON: '["x"]' }, 'a number is required'],
    ['type = number', { V: 'NaN' }, 'is not a number'],
  ];
  it.each(refused)('%j with %j is refused', async (block, environment, why) => {
    const reading = define({ 'a.hcl': `variable "V" {\n${block}\n}\n` }, { environment });
    await expect(reading).rejects.toMatchObject({ code: 'BAKE_INVALID', message: expect.stringContaining(why) });
  });

  it('is described as it is listed', async () => {
    const text = 'variable "V" {\n  type = map(list(string))\n  description = "of all"\n  default = {}\n}\n';
    const { variables } = await define({ 'a.hcl': text });
    expect(variables).toEqual([{ name: 'V', type: 'map of list of string', description: 'of all', value: '{}' }]);
  });

  it('stands on others in any order, also on values at the top, which nothing overrides', async () => {
    const text = 'variable "A" { default = "${B}!" }\nvariable "B" { default = C }\nC = upper("c")\n';
    const { variables } = await define({ 'a.hcl': text }, { environment: { C: 'x', B: 'env' } });
    expect(variables.map(({ value }) => value)).toEqual(['env!', 'env']);
  });
});
