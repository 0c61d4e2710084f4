import { describe, expect, it } from '@jest/globals';
import { compileTemplate, formatList, type Value } from '../../src/ui/index.ts';

const data: Value = {
  Name: 'web',
  Size: 12,
  Ratio: 1.5,
  Running: true,
  Nothing: null,
  Empty: [],
  Tags: ['a', 'b', 'c'],
  Labels: { z: 'last', a: 'first' },
  Config: { Env: ['A=1', 'B=2'], Cmd: null, User: '' },
  Mounts: [
    { Source: '/a', RW: true },
    { Source: '/b', RW: false },
  ],
};

describe('compileTemplate', () => {
  const cases: readonly (readonly [template: string, output: string])[] = [
    ['plain', 'plain'],
    ['{{.Name}}', 'web'],
    ['{{ .Config.Env }}', '[A=1 B=2]'],
    ['{{.Labels}}', 'map[a:first z:last]'],
    ['{{.Nothing}}', '<no value>'],
    ['{{$.Name}}', 'web'],
    ['{{(index .Mounts 1).Source}}', '/b'],
    ['{{index .Tags 0}} {{index .Labels "z"}} {{index .Mounts 0 "Source"}}', 'a last /a'],
    ['{{json .Config}}', '{"Env":["A=1","B=2"],"Cmd":null,"User":""}'],
    ['{{json .}}', JSON.stringify(data)],
    ['{{.Tags | json}}', '["a","b","c"]'],
    ['{{join .Tags "-"}}', 'a-b-c'],
    ['{{split "a,b" "," | json}}', '["a","b"]'],
    ['{{upper .Name}} {{.Name | upper | lower}} {{title "two words"}}', 'WEB web Two Words'],
    ['{{len .Tags}} {{len .Name}} {{len .Labels}}', '3 3 2'],
    ['{{truncate .Name 2}}{{pad "x" 1 2}}|', 'we x  |'],
    ['{{slice .Name 1}} {{slice .Tags 1 2}}', 'eb [b]'],
    ['{{println .Name .Size}}', 'web 12\n'],
    ['{{print "a" 1 2 "b"}}', 'a1 2b'],
    [
      '{{printf "%s=%05d %-4s| %q %t %.2f %x %v%%" .Name .Size "ab" "c" .Running .Ratio 255 .Tags}}',
      'web=00012 ab  | "c" true 1.50 ff [a b c]%',
    ],
    ['{{if .Running}}up{{else}}down{{end}}', 'up'],
    ['{{if .Empty}}1{{else if .Config.User}}2{{else}}3{{end}}', '3'],
    ['{{if and .Running (gt .Size 10)}}big{{end}}', 'big'],
    ['{{if or .Nothing .Empty}}x{{else}}none{{end}}', 'none'],
    ['{{if not .Nothing}}nothing{{end}}', 'nothing'],
    ['{{eq .Name "db" "web"}} {{ne .Size 12}} {{lt 1 2}} {{le 2 2}} {{ge "b" "a"}}', 'true false true true true'],
    ['{{range .Tags}}<{{.}}>{{end}}', '<a><b><c>'],
    ['{{range .Empty}}x{{else}}nothing{{end}}', 'nothing'],
    ['{{range $i, $tag := .Tags}}{{if $i}}, {{end}}{{$tag}}{{end}}', 'a, b, c'],
    ['{{range $key, $value := .Labels}}{{$key}}={{$value}};{{end}}', 'a=first;z=last;'],
    ['{{range .Mounts}}{{if not .RW}}{{continue}}{{end}}{{.Source}}{{break}}{{end}}', '/a'],
    ['{{with .Config}}{{index .Env 0}}{{end}}{{with .Nothing}}x{{else}}-{{end}}', 'A=1-'],
    ['{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}', '2'],
    ['a {{- /* said nothing */ -}} b', 'ab'],
    ['a {{- " b " -}} c', 'a b c'],
    ['{{"\\t\\"é\\u0041"}}{{`raw\\n`}}', '\t"éAraw\\n'],
    ["{{0x10}} {{-3}} {{1.5}} {{'a'}}", '16 -3 1.5 97'],
  ];
  it.each(cases)('%s', (template, output) => {
    expect(compileTemplate(template).render(data)).toBe(output);
  });

  it.each([
    ['{{.Name', 'unclosed action'],
    ['{{if .Name}}x', '{{if}} without {{end}}'],
    ['x{{end}}', 'unexpected {{end}}'],
    ['{{}}', 'missing value for command'],
    ['{{frobnicate .Name}}', 'function "frobnicate" not defined'],
    ['{{range .Tags}}{{lower (nope .)}}{{end}}', 'function "nope" not defined'],
    ['{{.Name | 3}}', 'non executable command in pipeline'],
    ['{{(.Name}}', 'unclosed left paren'],
    ['{{break}}', '{{break}} outside {{range}}'],
    ['{{template "x"}}', '{{template}} is not supported in formats'],
    ['{{.Name ~}}', 'unexpected "~" in action'],
    ['{{"a\\qb"}}', 'unknown escape \\q'],
  ])('refuses %s: %s', (template, problem) => {
    expect(() => compileTemplate(template)).toThrow(
      expect.objectContaining({ code: 'TEMPLATE_INVALID', message: expect.stringContaining(problem) }),
    );
  });

  it.each([
    ['{{.Missing}}', 'no field .Missing here'],
    ['{{.Name.X}}', "can't evaluate field X in web"],
    ['{{.Nothing.X}}', 'nil has no field .X'],
    ['{{index .Tags 9}}', 'index out of range: 9'],
    ['{{lt 1 "a"}}', 'lt: incompatible types'],
    ['{{join .Name ","}}', 'join: expected a list'],
    ['{{upper}}', 'wrong number of args for upper'],
    ['{{range .Size}}{{end}}', "range can't iterate over 12"],
    ['{{$nope}}', 'undefined variable "$nope"'],
    ['{{.Name 1}}', "can't give arguments to field .Name"],
  ])('fails at %s: %s', (template, problem) => {
    const compiled = compileTemplate(template);
    expect(() => compiled.render(data)).toThrow(
      expect.objectContaining({ code: 'TEMPLATE_FAILED', message: expect.stringContaining(problem) }),
    );
  });

  it('reads own fields only', () => {
    expect(() => compileTemplate('{{.constructor}}').render({ A: 1 })).toThrow('no field .constructor here');
    expect(compileTemplate('{{index . "__proto__"}}').render({ A: 1 })).toBe('<no value>');
  });

  it('names the fields there are', () => {
    expect(() => compileTemplate('{{.B}}').render({ A: 1, C: 2 })).toThrow(
      expect.objectContaining({ hint: 'Fields: .A, .C' }),
    );
  });

  it('can let missing fields pass', () => {
    expect(compileTemplate('{{.B}}', { missingFields: 'no-value' }).render({})).toBe('<no value>');
  });
});

describe('formatList', () => {
  const rows = [
    { ID: '0123456789ab', Repository: 'busybox', Tag: 'latest' },
    { ID: 'ba9876543210', Repository: 'evil\u001b[2K', Tag: '1' },
  ];
  const options = { heads: { Repository: 'REPOSITORY', Tag: 'TAG', ID: 'IMAGE ID' }, columns: ['Repository', 'ID'] };

  it.each([
    [undefined, 'REPOSITORY    IMAGE ID\nbusybox       0123456789ab\nevil\\x1b[2K   ba9876543210\n'],
    ['table {{.Tag}}\\t{{.ID}}', 'TAG       IMAGE ID\nlatest    0123456789ab\n1         ba9876543210\n'],
    ['{{.Repository}}:{{.Tag}}', 'busybox:latest\nevil\\x1b[2K:1\n'],
    ['json', rows.map((row) => `${JSON.stringify(row)}\n`).join('')],
  ])('--format %s', (format, output) => {
    expect(formatList(rows, { ...options, format })).toBe(output);
  });

  it('has its heads even without rows', () => {
    expect(formatList([], options)).toBe('REPOSITORY   IMAGE ID\n');
  });
});
