// Copies pages; styles get the digest of their content into their names, so that browsers may keep them for ever.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import { gzipSync } from 'node:zlib';

const [from, to] = process.argv.slice(2);
mkdirSync(to, { recursive: true });

const names = readdirSync(from).sort();
const renamed = new Map();
for (const name of names.filter((each) => each.endsWith('.css'))) {
  const content = readFileSync(join(from, name));
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 12);
  const { name: stem, ext } = parse(name);
  renamed.set(name, `${stem}.${digest}${ext}`);
  write(renamed.get(name), content);
}
for (const name of names.filter((each) => each.endsWith('.html'))) {
  let text = readFileSync(join(from, name), 'utf8');
  for (const [before, after] of renamed) text = text.replaceAll(before, after);
  write(name, Buffer.from(text));
}

function write(name, content) {
  writeFileSync(join(to, name), content);
  writeFileSync(join(to, `${name}.gz`), gzipSync(content, { level: 9 }));
}
