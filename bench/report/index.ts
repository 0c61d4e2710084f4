export { verdicts } from './bars.ts';
export { chart } from './chart.ts';
export { fileSystemOf, type MachineFacts, machineFacts } from './facts.ts';
export { pageFiles, savedResults, saveResults, writePage } from './files.ts';
export { fillPage, jobsOfPage, type ResultsByJob } from './page.ts';
export { type JobResult, jobResult, parseResults, printResults } from './results.ts';
export { machineText, resultHead, resultText } from './text.ts';
