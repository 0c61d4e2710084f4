import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { mountRoot, type RootMount } from '../../src/system/index.ts';

/** Run as a program: mounts the root that its first argument describes on its second and runs its third there, in a shell. */
const [description = '', target = '', script = ''] = process.argv.slice(2);
mountRoot(JSON.parse(description) as RootMount, target);
const { status, stderr } = spawnSync('/bin/sh', ['-euc', script], { cwd: target, encoding: 'utf8' });
fs.writeSync(2, stderr);
process.exitCode = status ?? 1;
