import { createReadStream, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../public', import.meta.url));
const files = new Set(readdirSync(folder));
const types = { '.css': 'text/css', '.html': 'text/html; charset=utf-8' };

createServer((request, response) => {
  const name = request.url === '/' ? 'index.html' : request.url.slice(1);
  const type = types[extname(name)];
  if (!files.has(name) || type === undefined) return response.writeHead(404).end('not found\n');
  const packed = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  response.writeHead(200, { 'content-type': type, ...(packed && { 'content-encoding': 'gzip' }) });
  return createReadStream(join(folder, packed ? `${name}.gz` : name)).pipe(response);
}).listen(Number(process.env.PORT));
