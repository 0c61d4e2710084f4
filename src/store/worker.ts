import { parentPort } from 'node:worker_threads';
import { messageOf } from '../errors.ts';
import { recordStats } from '../layer/index.ts';
import { errnoOf, StoreError } from './error.ts';
import { copyTree } from './tree/copy.ts';
import { readLinks, relinkTree, writeLinks } from './tree/relink.ts';
import { measureTree } from './tree/measure.ts';
import { deleteTrees } from './tree/delete.ts';
import type { StoreTask, TaskReply, TaskRequest } from './worker-tasks.ts';

parentPort?.on('message', (request: TaskRequest) => {
  parentPort?.postMessage(replyTo(request));
});

function replyTo({ id, task }: TaskRequest): TaskReply {
  try {
    return { id, ok: true, sizes: perform(task) };
  } catch (error) {
    const { hint, details } = error instanceof StoreError ? error : { hint: undefined, details: [] };
    return { id, ok: false, message: messageOf(error), errno: errnoOf(error), hint, details };
  }
}

function perform(task: StoreTask): readonly number[] {
  switch (task.kind) {
    case 'measure':
      return task.folders.map(measureTree);
    case 'delete':
      deleteTrees(task.folders, task.trash);
      return [];
    case 'copy':
      writeLinks(task.links, copyTree(task.from, task.to));
      recordStats(task.to, task.stats);
      return [];
    case 'relink':
      relinkTree(task.lower, task.tree, readLinks(task.links));
      return [];
  }
}
