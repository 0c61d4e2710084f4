import { parentPort } from 'node:worker_threads';
import { messageOf } from '../errors.ts';
import { LayerError } from './error.ts';
import { Credit } from './worker/credit.ts';
import { Inbox } from './worker/inbox.ts';
import { runJob } from './worker/jobs.ts';
import { flatten, type FromWorker, type ToWorker } from './worker/messages.ts';

/** The entry of a worker thread: jobs come in as messages, take their input and give their output in chunks. */
interface Running {
  readonly inbox: Inbox;
  readonly outgoing: Credit;
}

const running = new Map<number, Running>();

function post(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

async function start({ job, task, stop }: Extract<ToWorker, { kind: 'start' }>): Promise<void> {
  const inbox = new Inbox((chunk) => {
    const memory = chunk.buffer as ArrayBuffer;
    post({ job, kind: 'credit', bytes: chunk.byteLength, memory }, [memory]);
  });
  const outgoing = new Credit();
  running.set(job, { inbox, outgoing });
  const flag = new Int32Array(stop);
  try {
    const result = await runJob(task, {
      input: inbox,
      checkIn: () => {
        if (Atomics.load(flag, 0) !== 0) throw stopped();
      },
      output: async (chunk) => {
        await outgoing.spend(chunk.length);
        const bytes = new Uint8Array(chunk); // its own memory, which can be given away
        post({ job, kind: 'chunk', bytes }, [bytes.buffer]);
      },
    });
    post({ job, kind: 'done', result });
  } catch (error) {
    post({ job, kind: 'failed', error: flatten(error) });
  } finally {
    running.delete(job);
  }
}

function receive(message: ToWorker): void {
  if (message.kind === 'start') {
    start(message).catch((error: unknown) => {
      post({ job: message.job, kind: 'failed', error: flatten(new Error(messageOf(error))) });
    });
    return;
  }
  const job = running.get(message.job);
  switch (message.kind) {
    case 'chunk':
      job?.inbox.push(message.bytes);
      break;
    case 'end':
      job?.inbox.end();
      break;
    case 'abort':
      job?.inbox.fail(stopped());
      job?.outgoing.fail(stopped());
      break;
    case 'credit':
      job?.outgoing.grant(message.bytes);
      break;
  }
}

function stopped(): LayerError {
  return new LayerError('WORKER_FAILED', 'the job was stopped');
}

parentPort?.on('message', receive);
