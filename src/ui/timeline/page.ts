import { createHash } from 'node:crypto';
import { formatSize } from '../../oci/index.ts';
import { formatElapsed } from '../time.ts';
import { chart } from './chart.ts';
import { stepDetails, stepTable } from './details.ts';
import { text } from './html.ts';
import { script } from './script.ts';
import { style } from './style.ts';
import type { Timeline, TimelineStep } from './timeline.ts';

/**
 * A build as one page of HTML that needs nothing else: no network, no server. Its policy allows exactly its own style and script,
 * by their digests, so that nothing which a build printed could ever run.
 */
export function timelinePage(timeline: Timeline): string {
  const name = timeline.dockerfile ?? 'Dockerfile';
  const policy = [
    "default-src 'none'",
    `style-src ${digestOf(style)}`,
    `script-src ${digestOf(script)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const title = `Build of ${name}: ${timeline.error === undefined ? '' : 'failed after '}${formatElapsed(timeline.duration)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${text(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>Build of ${text(name)}<span class="badge${timeline.error === undefined ? '">done' : ' failed">failed'}</span></h1>
<p class="when">${new Date(timeline.began).toISOString().slice(0, 19).replace('T', ' ')} UTC</p>
</header>
<main>
${timeline.error === undefined ? '' : `<p class="failure">${text(timeline.error)}</p>`}
${tiles(timeline)}
${chart(timeline, legend())}
<section id="details" aria-live="polite" aria-label="Details of a step"><p class="hint">Point at a step, or move with the arrow keys, to see why it ran and how its output ended.</p>${timeline.steps
    .map((step) => withNeeds(stepDetails(step, timeline), step, timeline))
    .join('')}</section>
<section class="table">${stepTable(timeline)}</section>
</main>
<footer>Drawn by Slipway from the events of the build.</footer>
<script>${script}</script>
</body>
</html>
`;
}

/** The script marks what a step needs by the numbers of those steps. */
function withNeeds(html: string, step: TimelineStep, { steps }: Timeline): string {
  const numbers = steps.flatMap(({ id }, index) => (step.needs.includes(id) ? [index] : []));
  return html.replace('<article ', `<article data-needs="${numbers.join(' ')}" `);
}

function tiles({ duration, steps, critical }: Timeline): string {
  const work = steps.filter(({ kind }) => kind !== 'around');
  const count = (outcome: TimelineStep['outcome']): number => work.filter((step) => step.outcome === outcome).length;
  const sum = (values: readonly (number | undefined)[]): number =>
    values.reduce<number>((total, value) => total + (value ?? 0), 0);
  const busy = sum(steps.filter(({ id }) => critical.includes(id)).map(({ start, end }) => end - start));
  const saved = sum(steps.map((step) => step.saved));
  const size = sum(steps.map((step) => step.size));
  const list: (readonly [value: string, name: string])[] = [
    [formatElapsed(duration), 'in all'],
    [formatElapsed(busy), 'on the critical path'],
    [String(work.length), work.length === 1 ? 'step' : 'steps'],
    [`${count('cached')} of ${work.length}`, 'from the cache'],
    ...(saved > 0 ? [[formatElapsed(saved), 'saved by the cache'] as const] : []),
    [formatSize(size), 'of layers'],
  ];
  const items = list.map(([value, name]) => `<li><b>${text(value)}</b><span>${text(name)}</span></li>`);
  return `<ul class="tiles">${items.join('')}</ul>`;
}

function legend(): string {
  const entries = [
    ['run', 'RUN'],
    ['copy', 'COPY, ADD'],
    ['workdir', 'WORKDIR'],
    ['image', 'base image'],
    ['around', 'around the steps'],
    ['run cached', 'from the cache'],
    ['error', 'failed'],
    ['cancelled', 'cancelled or not needed'],
    ['path', 'on the critical path'],
  ];
  const items = entries.map(([className, name]) => `<li><span class="dot ${className}"></span>${name}</li>`);
  return `<ul class="legend" aria-label="Legend">${items.join('')}</ul>`;
}

function digestOf(content: string): string {
  return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
}
