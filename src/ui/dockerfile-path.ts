import { existsSync } from 'node:fs';

/** The Dockerfile of the working folder: the name that is meant where none is given. */
export function defaultDockerfile(): string {
  return !existsSync('Dockerfile') && existsSync('Containerfile') ? 'Containerfile' : 'Dockerfile';
}
