/** The page's style. Colours of kinds are told apart by those who see fewer, and hold 4.5:1 against what stands on them. */
export const style = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --panel: #ffffff; --ink: #1b2330; --soft: #5b6675; --line: #dfe3ea; --mark: #d9480f;
  --run: #2563c4; --copy: #1b7f5c; --image: #7546c9; --workdir: #0f7490; --around: #66707f; --error: #c62f2f;
  --on-bar: #ffffff; --cached-ink: #1b2330; --cached: #e4e8ee; --cancelled: #c9ced6;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --ground: #12161c; --panel: #1a2029; --ink: #e6eaf0; --soft: #9aa5b4; --line: #2c3542; --mark: #ff9b54;
    --run: #3a74d0; --copy: #23805f; --image: #865ed4; --workdir: #1c7b96; --around: #6a7586; --error: #d04040;
    --on-bar: #ffffff; --cached-ink: #e6eaf0; --cached: #2a3340; --cancelled: #4a5462;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1500px; padding: 28px 32px 60px; background: var(--ground); color: var(--ink);
  font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
h1 { margin: 0; font-size: 22px; font-weight: 650; letter-spacing: -0.01em; overflow-wrap: anywhere; }
.when { color: var(--soft); margin: 2px 0 0; }
.badge { display: inline-block; margin-left: 10px; padding: 1px 10px; border-radius: 99px; font-size: 12px; font-weight: 600;
  vertical-align: 3px; color: var(--on-bar); background: var(--copy); }
.badge.failed { background: var(--error); }
.tiles { display: flex; flex-wrap: wrap; gap: 10px; margin: 20px 0; padding: 0; list-style: none; }
.tiles li { flex: 1 1 130px; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; }
.tiles b { display: block; font-size: 20px; font-weight: 650; font-variant-numeric: tabular-nums; letter-spacing: -0.01em; }
.tiles span { color: var(--soft); font-size: 12.5px; }
.failure { background: color-mix(in srgb, var(--error) 12%, var(--panel)); border-left: 3px solid var(--error); border-radius: 4px;
  padding: 8px 12px; overflow-wrap: anywhere; }
.chart, #details, .table { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 14px 18px; }
.lane { display: grid; grid-template-columns: 132px minmax(0, 1fr); border-top: 1px solid var(--line); align-items: start; padding: 2px 0; }
.lane.scale { border: 0; padding: 0; }
.lane.path { border-top: 0; margin-bottom: 6px; }
.lane.path .name { color: var(--mark); }
.name { padding: 5px 10px 0 0; font-size: 12.5px; font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
svg { display: block; overflow: hidden; }
svg.bars { overflow: visible; }
.axis text { font-size: 11px; fill: var(--soft); font-variant-numeric: tabular-nums; }
.grid line { stroke: var(--line); stroke-width: 1; }
.bar rect { fill: var(--kind); stroke: var(--panel); stroke-width: 1.5; }
.bar text { fill: var(--on-bar); font-size: 12px; font-weight: 500; pointer-events: none; }
.bar[data-step] { cursor: pointer; outline: none; }
.run { --kind: var(--run); } .copy { --kind: var(--copy); } .image { --kind: var(--image); }
.workdir { --kind: var(--workdir); } .around { --kind: var(--around); } .error { --kind: var(--error); }
.bar.cached rect { fill: var(--cached); stroke: var(--kind); stroke-dasharray: 3 2; }
.bar.cached text { fill: var(--cached-ink); }
.bar.cancelled rect, .bar.skipped rect { fill: var(--cancelled); }
.bar.cancelled text, .bar.skipped text { fill: var(--ink); }
.bar.critical rect { stroke: var(--mark); stroke-width: 2; stroke-dasharray: none; }
.path .bar.critical rect { stroke: var(--panel); stroke-width: 1.5; }
.bar:hover rect { filter: brightness(1.12); }
.bar:focus-visible rect, .bar.shown rect { stroke: var(--ink); stroke-width: 3; stroke-dasharray: none; }
.bar.needed rect { stroke: var(--ink); stroke-width: 2; stroke-dasharray: 2 2; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 12px 0 2px; padding: 10px 0 0; border-top: 1px solid var(--line);
  color: var(--soft); font-size: 12.5px; list-style: none; }
.dot { display: inline-block; width: 11px; height: 11px; margin-right: 7px; border-radius: 3px; background: var(--kind, var(--around)); vertical-align: -1px; }
.dot.cached { background: var(--cached); outline: 1.5px dashed var(--kind, var(--around)); outline-offset: -1.5px; }
.dot.cancelled, .dot.skipped { background: var(--cancelled); }
.dot.path { background: none; border: 2px solid var(--mark); }
#details { margin: 14px 0; min-height: 96px; }
#details > p { color: var(--soft); margin: 4px 0; }
#details h3 { margin: 0 0 8px; font: 600 14px/1.45 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
#details h4 { margin: 12px 0 4px; font-size: 12.5px; color: var(--soft); font-weight: 600; }
#details ul { margin: 0; padding-left: 20px; overflow-wrap: anywhere; }
dl { display: flex; flex-wrap: wrap; gap: 6px 26px; margin: 0; }
dt { color: var(--soft); font-size: 12px; }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
pre { margin: 0; padding: 10px 12px; max-height: 340px; overflow: auto; border-radius: 6px; background: var(--ground); border: 1px solid var(--line);
  font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; font-weight: 650; padding-bottom: 6px; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 12.5px; }
td, th { padding: 5px 14px 5px 0; border-top: 1px solid var(--line); vertical-align: top; }
thead th { border-top: 0; }
td:first-child { font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; min-width: 280px; }
td a { color: inherit; text-decoration: none; } td a:hover { text-decoration: underline; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.star { color: var(--mark); }
article:target { display: block; }
a:focus-visible { outline: 2px solid var(--run); outline-offset: 2px; border-radius: 2px; }
footer { margin-top: 18px; color: var(--soft); font-size: 12.5px; }
@media (max-width: 700px) {
  body { padding: 16px 12px 40px; }
  .lane { grid-template-columns: minmax(0, 1fr); }
}
@media print {
  body { padding: 0; max-width: none; background: none; }
  .chart, .table, .tiles li { break-inside: avoid; }
  .table { overflow: visible; } .hint, footer, #details:not(:has(article:not([hidden]))) { display: none; }
  * { print-color-adjust: exact; }
}
`;
