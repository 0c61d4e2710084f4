/** Measures Slipway beside its peers. Never part of the tests, but for a run on tiny inputs. See docs/performance.md. */
import { jobs } from './jobs/index.ts';
import type { Job } from './measure/index.ts';
import { type Options, readOptions, usage } from './options.ts';
import { possibleKinds } from './places/index.ts';
import { type JobResult, machineFacts, machineText, printResults, resultHead, resultText } from './report/index.ts';
import { saveResults, writePage } from './report/index.ts';
import { runJob } from './run-job.ts';

/** Takes away what was made; a second signal ends at once. */
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)));

try {
  const options = readOptions(process.argv.slice(2), possibleKinds());
  if (options.list) process.stdout.write(jobs.map(listed).join(''));
  else {
    if (!options.page || options.names.length > 0) await measure(chosen(options.names), options);
    if (options.page) await writePage();
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  if (!stop.signal.aborted) process.stderr.write(`\n${usage}`);
  process.exitCode = 2;
}

function listed({ name, title, onlyByName = false }: Job): string {
  return `${name.padEnd(24)}${title}${onlyByName ? ' (only when named)' : ''}\n`;
}

/** @throws Error for a name that no job has */
function chosen(names: readonly string[]): readonly Job[] {
  if (names.length === 0) return jobs.filter(({ onlyByName = false }) => !onlyByName);
  return names.map((name) => {
    const job = jobs.find((each) => each.name === name);
    if (job === undefined)
      throw new Error(`no such job: ${name}; there are: ${jobs.map((each) => each.name).join(', ')}`);
    return job;
  });
}

/** One job that fails does not take the others with it. */
async function measure(chosenJobs: readonly Job[], { places, rounds, json, save, tiny }: Options): Promise<void> {
  const machine = await machineFacts();
  const all: JobResult[] = [];
  if (!json) process.stdout.write(`${machineText(machine)}\n\n`);
  for (const job of chosenJobs) {
    const own: JobResult[] = [];
    for (const kind of places.filter((each) => job.places?.includes(each) ?? true)) {
      try {
        const result = await runJob(job, { kind, machine, rounds, scale: tiny ? 'tiny' : 'full', signal: stop.signal });
        own.push(result);
        if (!json)
          process.stdout.write(`### ${job.name}: ${job.title} (${resultHead(result)})\n\n${resultText(result)}\n`);
      } catch (error) {
        stop.signal.throwIfAborted();
        process.stderr.write(`${job.name} on ${kind}: ${error instanceof Error ? error.message : String(error)}\n`);
        process.exitCode = 1;
      }
    }
    if (save && own.length > 0) await saveResults(job.name, own);
    all.push(...own);
  }
  if (json) process.stdout.write(printResults(all));
}
