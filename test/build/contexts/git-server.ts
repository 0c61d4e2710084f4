import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const env = {
  PATH: process.env['PATH'],
  HOME: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_AUTHOR_DATE: '1600000000 +0000',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.com',
  GIT_COMMITTER_DATE: '1600000000 +0000',
};

/** What a file of a commit is: its text, a link's target, or a submodule's commit. */
export type CommitFile = string | { readonly link: string } | { readonly commit: string };

/** Repositories in a folder, made with git itself. */
export class Repositories implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'slipway-git-'));

  git(name: string, ...args: string[]): string {
    return execFileSync('git', args, { cwd: join(this.root, name), env, encoding: 'utf8' }).trim();
  }

  /** Makes `name`, empty. */
  make(name: string): void {
    mkdirSync(join(this.root, name), { recursive: true });
    this.git(name, 'init', '--quiet', '--initial-branch=main');
    this.git(name, 'config', 'http.receivepack', 'false');
  }

  /** Commits files over what is there, and gives the commit. */
  commit(name: string, files: Readonly<Record<string, CommitFile>>): string {
    for (const [path, content] of Object.entries(files)) {
      const file = join(this.root, name, path);
      if (typeof content !== 'string' && 'commit' in content) {
        this.git(name, 'update-index', '--add', '--cacheinfo', `160000,${content.commit},${path}`);
        continue;
      }
      mkdirSync(dirname(file), { recursive: true });
      if (typeof content === 'string') writeFileSync(file, content);
      else symlinkSync(content.link, file);
      this.git(name, 'add', '--force', '--', path);
    }
    this.git(name, 'commit', '--quiet', '--allow-empty', '-m', 'c');
    return this.git(name, 'rev-parse', 'HEAD');
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** One request that the server saw. */
export interface SeenRequest {
  readonly path: string;
  readonly authorization: string | undefined;
}

export interface GitServerOptions {
  /** The Authorization header without which nothing is given. */
  readonly authorization?: string;
  /** Answers before git does; true where it has. */
  readonly before?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** Repositories behind `git http-backend`, git's own server. */
export class GitServer implements AsyncDisposable {
  readonly seen: SeenRequest[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(root: string, options: GitServerOptions = {}): Promise<GitServer> {
    const server = createServer((request, response) => {
      started.seen.push({ path: request.url ?? '', authorization: request.headers.authorization });
      if (options.before?.(request, response) === true) return;
      if (options.authorization !== undefined && request.headers.authorization !== options.authorization) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
        return;
      }
      backend(root, request, response);
    });
    const started = new GitServer(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return started;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Address of a repository; http URLs are git's where they end in `.git`. */
  url(name: string): string {
    return `http://${this.host}/${name}/.git`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** CGI, as far as git needs it (RFC 3875). */
function backend(root: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://x');
  const child = spawn('git', ['http-backend'], {
    env: {
      ...env,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.on('error', () => undefined);
  request.pipe(child.stdin);
  let head = Buffer.alloc(0);
  child.stdout.on('data', function read(chunk: Buffer) {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    child.stdout.off('data', read);
    const lines = head.subarray(0, end).toString().split('\r\n');
    const headers = lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);
    const status = headers.find(([name]) => name === 'Status')?.[1] ?? '200';
    response.writeHead(Number.parseInt(status, 10), Object.fromEntries(headers) as Record<string, string>);
    response.write(head.subarray(end + 4));
    child.stdout.pipe(response);
  });
  response.on('close', () => child.kill());
}
