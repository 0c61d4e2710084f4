import { stripControls } from '../escape.ts';
import { formatSize } from '../../oci/index.ts';
import { formatElapsed } from '../time.ts';
import { outcomeWord, stageName } from './chart.ts';
import { text } from './html.ts';
import type { Timeline, TimelineStep } from './timeline.ts';

/** All about one step; the page shows one of them at a time. */
export function stepDetails(step: TimelineStep, timeline: Timeline): string {
  const rows = factsOf(step, timeline).map(
    ([name, value]) => `<div><dt>${text(name)}</dt><dd>${text(value)}</dd></div>`,
  );
  const reasons = step.reasons.map((reason) => `<li>${text(reason.text)}</li>`);
  const tail = step.tail.map((line) => text(stripControls(line))).join('\n');
  return [
    `<article id="step-${timeline.steps.indexOf(step)}" hidden>`,
    `<h3><span class="dot ${step.kind} ${step.outcome}"></span>${text(step.title)}</h3>`,
    `<dl>${rows.join('')}</dl>`,
    ...(step.error === undefined ? [] : [`<p class="failure">${text(step.error)}</p>`]),
    ...(reasons.length === 0 ? [] : [`<h4>Why it ran</h4><ul>${reasons.join('')}</ul>`]),
    ...(tail === '' ? [] : [`<h4>End of its output</h4><pre>${tail}</pre>`]),
    '</article>',
  ].join('');
}

function factsOf(step: TimelineStep, { steps, critical, dockerfile }: Timeline): [name: string, value: string][] {
  const needs = steps.filter(({ id }) => step.needs.includes(id));
  const ready = Math.max(0, ...needs.map(({ end }) => end));
  const waited = needs.length === 0 ? 0 : step.start - ready;
  const { start, end } = step.location ?? { start: undefined, end: undefined };
  return [
    ['outcome', outcomeWord(step)],
    ['took', formatElapsed(step.end - step.start)],
    ['began', `after ${formatElapsed(step.start)}`],
    ...optional(waited >= 50, ['waited for a free place', formatElapsed(waited)]),
    ...optional(step.saved !== undefined, ['the cache saved', formatElapsed(step.saved ?? 0)]),
    ...optional(step.size !== undefined, ['layer', formatSize(step.size ?? 0)]),
    ...optional(step.stage !== undefined, ['stage', stageName(step.stage)]),
    ...optional(start !== undefined, [
      'lines',
      `${dockerfile ?? 'Dockerfile'}:${start}${end === start ? '' : `-${end}`}`,
    ]),
    ...optional(needs.length > 0, ['needs', needs.map(({ title }) => title).join('; ')]),
    ...optional(critical.includes(step.id), ['critical path', 'on it: the build waited for this']),
  ];
}

function optional(there: boolean, fact: [name: string, value: string]): [name: string, value: string][] {
  return there ? [fact] : [];
}

/** Every step as a row, for readers of tables and for print. */
export function stepTable({ steps, critical }: Timeline): string {
  const rows = steps.map((step, index) => {
    const cells = [
      `<td><a href="#step-${index}" data-step="${index}"><span class="dot ${step.kind} ${step.outcome}"></span>${text(step.title)}</a></td>`,
      `<td>${text(outcomeWord(step))}${critical.includes(step.id) ? ' <span class="star" title="on the critical path">◆</span>' : ''}</td>`,
      `<td class="number">${formatElapsed(step.start)}</td>`,
      `<td class="number">${formatElapsed(step.end - step.start)}</td>`,
      `<td class="number">${step.size === undefined ? '' : formatSize(step.size)}</td>`,
      `<td class="number">${step.saved === undefined ? '' : formatElapsed(step.saved)}</td>`,
    ];
    return `<tr>${cells.join('')}</tr>`;
  });
  const heads = ['began', 'took', 'layer', 'saved'].map((head) => `<th class="number" scope="col">${head}</th>`);
  return `<table><caption>Steps</caption><thead><tr><th scope="col">step</th><th scope="col">outcome</th>${heads.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}
