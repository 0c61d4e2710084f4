import { describe, expect, it } from '@jest/globals';
import { print } from './worth.ts';

/** Definitions that are refused: where, and a part of why. */
const refused: readonly (readonly [string, string])[] = [
  ['target "a" {', '1:13: the block does not end'],
  ['target "a" }', '1:12: after "target" comes'],
  ['target a b {}', '1:10: target has one name'],
  ['target {}', '1:1: target needs a name'],
  ['target "a/b" {}', '1:1: invalid name "a/b"'],
  ['x = "a', '1:5: the text does not end'],
  ['x = "a\n"', '1:7: a text ends before the end of its line'],
  ['x = "\\q"', '1:6: unknown escape "\\\\q"'],
  ['x = <<E\nabc', '1:5: the document does not end: there is no line "E"'],
  ['x = 1 y = 2', '1:7: a new line is expected after attribute "x", found "y"'],
  ['x = 1\nx = 2', '2:1: attribute "x" is set twice'],
  ['x = [1, 2', '1:10: expected "," or "]" in the list'],
  ['x = {a = 1 b = 2}', '1:12: expected "," or a new line'],
  ['x = 1 +', '1:8: expected a value'],
  ['x = "${1"', '1:9: expected "}" to end ${'],
  ['x = "%{ if true }a"', '1:6: %{ if } has no %{ endif }'],
  ['x = "%{ endif }"', '1:6: %{ endif } without its beginning'],
  ['x = "%{ while }"', '1:9: after %{ comes'],
  ['x = /* open', '1:5: the comment does not end'],
  ['x = a & b', '1:7: unexpected character "&"'],
  ['target "a" { tags = ["x"] pull = true }', '1:27: a block in one line'],
  ['x = y', '1:5: there is no variable "y"'],
  ['x = y\ny = x', '2:5: variable "x" depends on itself: x → y → x'],
  ['variable "x" { default = x }', '1:26: variable "x" depends on itself'],
  ['target "a" { tags = target.a.tags }', '1:21: target.a.tags depends on itself'],
  ['target "a" { tags = target.b.tags }\ntarget "b" { tags = target.a.tags }', '2:21: target.a.tags depends on itself'],
  ['target "a" { tags = target.z.tags }', '1:21: there is no target "z"'],
  ['target "a" { tags = "x" }', '1:21: tags: a list of texts is required, but it is a string'],
  ['target "a" { tags = [null] }', '1:21: tags: element 0 is null'],
  ['target "a" { args = { x = [1] } }', '1:21: args: args.x must be a text, but it is a tuple'],
  ['target "a" { pull = "maybe" }', '1:21: pull: a bool is required'],
  ['target "a" { output = ["type="] }', '1:23: output: type is required for output'],
  ['target "a" { cache-to = [{ ref = "x" }] }', '1:25: cache-to: type required'],
  ['target "a" { secret = ["id"] }', '1:23: secret: invalid value id'],
  ['target "a" { attest = ["mode=max"] }', '1:23: attest: attestation type not specified'],
  ['target "a" { name = "x" }', '1:21: name requires matrix'],
  ['target "a" { matrix = [1] }', '1:23: matrix must be a map of lists'],
  ['target "a" { matrix = { x = 1 } }', '1:23: matrix.x must be a list'],
  ['target "a" { matrix = { x = [1, 2] } }', '1:23: the matrix makes two targets "a"'],
  [
    'target "a" {\n  matrix = { x = target.a.tags }\n}',
    '2:18: a matrix, and the name that it gives, cannot refer to targets',
  ],
  [
    'target "a" {\n  matrix = { x = range(1000), y = range(1000) }\n}',
    '2:12: the matrix makes more than 10000 targets',
  ],
  ['group "g" {}', '1:1: group "g" needs the attribute "targets"'],
  ['group "g" {\n  targets = []\n  matrix = {}\n}', '3:12: matrix is not supported for groups'],
  ['variable "v" {\n  type = strin\n}', '2:10: there is no type "strin"'],
  ['variable "v" {\n  type = list\n}', '2:10: list needs the type of its elements'],
  ['variable "v" {\n  type = number\n  default = "x"\n}', '3:13: variable "v": a number is required'],
  [
    'variable "v" {\n  validation {\n    condition = v != ""\n    error_message = "give v"\n  }\n}',
    '3:17: variable "v": give v',
  ],
  [
    'variable "v" {\n  validation {\n    condition = true\n  }\n}',
    '2:3: validation needs the attribute "error_message"',
  ],
  ['function "f" { result = 1 }', '1:1: function needs the attribute "params"'],
  ['function "f" {\n  params = []\n  result = f()\n}\nx = f()', '3:12: function "f" calls itself'],
  ['function "f" {\n  params = ["a b"]\n  result = 1\n}', '2:13: unexpected "b" after the expression'],
  ['x = upper()', '1:5: upper: takes 1 argument, but got 0'],
  ['x = parseint("z", 10)', '1:14: parseint: "z" is not a whole number in base 10'],
  ['x = 1e9999', '1:5: 1e9999 is too large a number'],
  ['x = pow(10, 1000) * 10', '1:5: the number is too large'],
  [`x = ${'('.repeat(300)}1${')'.repeat(300)}`, 'expressions are nested more than 200 deep'],
  [`x = ${'['.repeat(300)}${']'.repeat(300)}`, 'expressions are nested more than 200 deep'],
  [`x = ${'!'.repeat(300)}true`, 'too many operators'],
  [`${'a {\n'.repeat(300)}`, 'blocks are nested more than 200 deep'],
  ['x = [for a in range(1024): [for b in range(1024): [for c in range(1024): 1]]]', 'evaluation takes more than'],
  [
    'function "d" {\n  params = [t]\n  result = join("", [for i in range(1000): t])\n}\nx = d(d(d("xxxx")))',
    'a text becomes longer than',
  ],
];

describe('a definition in HCL is refused', () => {
  it.each(refused)('%j', async (text, why) => {
    const error = await print({ 'a.hcl': text }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'BAKE_INVALID' });
    expect((error as Error).message).toContain(why);
  });

  it('with the lines around what is wrong', async () => {
    const text = 'target "a" {\n  tags = [\n    "x",\n    nope,\n  ]\n}\n';
    const error = await print({ 'docker-bake.hcl': text }).catch((caught: unknown) => caught);
    expect((error as { details: readonly string[] }).details).toEqual([
      'docker-bake.hcl:4:5',
      '--------------------',
      '   2 |       tags = [',
      '   3 |         "x",',
      '   4 | >>>     nope,',
      '   5 |       ]',
      '   6 |     }',
      '--------------------',
    ]);
  });

  it('where variables lean on each other too deep', async () => {
    const lines = Array.from({ length: 2000 }, (_, at) => `v${at} = v${at + 1}`);
    const error = await print({ 'a.hcl': `${lines.join('\n')}\nv2000 = 1\n` }).catch((caught: unknown) => caught);
    expect((error as Error).message).toContain('values depend on each other more than 800 deep');
  });
});

const refusedJson: readonly (readonly [string, string])[] = [
  ['[]', '1:1: a definition is a JSON object'],
  ['{"target": {"a": {"tags": ["x",]}}}', '1:32: a JSON value is expected'],
  ['{"target": {"a": 1}}', '1:18: target must be a JSON object'],
  ['{"target": {"a": {"tags": ["${nope}"]}}}', '1:28: there is no variable "nope"'],
  ['{"target": {"a": {"tags": ["${"]}}}', '1:28: expected a value'],
  ['{"a": "x', '1:7: a JSON value is expected'],
  ['{"a": 1} x', '1:10: unexpected text'],
  ['{"a": "\\x"}', '1:7: the string has an escape that JSON does not know'],
  [`${'['.repeat(300)}`, 'JSON is nested more than 200 deep'],
];

describe('a definition in JSON is refused', () => {
  it.each(refusedJson)('%j', async (text, why) => {
    const error = await print({ 'a.json': text }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'BAKE_INVALID' });
    expect((error as Error).message).toContain(why);
  });
});
