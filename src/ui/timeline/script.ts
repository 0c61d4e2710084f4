/**
 * The page's script: which step's details are shown, and moving between bars by keys. All content is in the page already, so
 * that nothing here makes HTML.
 */
export const script = `
'use strict';
(() => {
  const hint = document.querySelector('#details > p');
  const articles = [...document.querySelectorAll('#details > article')];
  const bars = [...document.querySelectorAll('.bar[tabindex]')];
  const marked = [...document.querySelectorAll('.bar')];
  let pinned;
  const show = (step) => {
    hint.hidden = step !== undefined;
    for (const [index, article] of articles.entries()) article.hidden = index !== step;
    const needs = (step === undefined ? '' : articles[step].dataset.needs || '').split(' ');
    for (const bar of marked) {
      bar.classList.toggle('shown', Number(bar.dataset.step) === step);
      bar.classList.toggle('needed', needs.includes(bar.dataset.step));
    }
  };
  const stepOf = (node) => {
    const found = node instanceof Element ? node.closest('[data-step]') : null;
    return found === null ? undefined : Number(found.dataset.step);
  };
  const focus = (bar) => {
    for (const other of bars) other.setAttribute('tabindex', other === bar ? '0' : '-1');
    bar.focus();
  };
  const chart = document.querySelector('.chart');
  chart.addEventListener('pointerover', (event) => { const step = stepOf(event.target); if (step !== undefined) show(step); });
  chart.addEventListener('pointerleave', () => show(pinned));
  chart.addEventListener('focusin', (event) => { pinned = stepOf(event.target); show(pinned); });
  document.addEventListener('click', (event) => {
    const step = stepOf(event.target);
    if (step === undefined) return;
    if (event.target.closest('a') !== null) event.preventDefault();
    pinned = step;
    show(step);
    document.getElementById('details').scrollIntoView({ block: 'nearest' });
  });
  const moves = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') { pinned = undefined; show(pinned); return; }
    const at = bars.indexOf(document.activeElement);
    if (at < 0) return;
    const to = event.key === 'Home' ? 0 : event.key === 'End' ? bars.length - 1 : at + (moves[event.key] || 0);
    if (to === at || bars[to] === undefined) return;
    event.preventDefault();
    focus(bars[to]);
  });
})();
`;
