"""How pages look: one calm column, light and dark, on paper, on a phone and in a notebook.

Every rule begins with the class of the explanation, so that a notebook around it is not touched.
There it takes the notebook's colours: lines and quiet words are thinned out from the text's own.
"""

from __future__ import annotations

CLASS = "chainrule"

# What a notebook and a page have in common.
RULES = """
.chainrule { line-height: 1.55; overflow-wrap: anywhere;
  --line: color-mix(in srgb, currentColor 18%, transparent);
  --quiet: color-mix(in srgb, currentColor 65%, transparent);
  --tint: color-mix(in srgb, currentColor 4%, transparent);
  --accent: #3b78a8; --good: #2e8555; --bad: #c4443a; }
.chainrule h1 { font-size: 1.6em; line-height: 1.25; font-weight: 600; margin: 0 0 0.8em; }
.chainrule h2, .chainrule h3, .chainrule h4, .chainrule h5, .chainrule h6 {
  display: inline; margin: 0; padding: 0; font-weight: 600; line-height: 1.4; }
.chainrule h2 { font-size: 1.15em; }
.chainrule h3, .chainrule h4, .chainrule h5, .chainrule h6 { font-size: 1em; }
.chainrule p { margin: 0.6em 0; }
.chainrule .quiet { color: var(--quiet); font-size: 0.88em; }
.chainrule .good { color: var(--good); }
.chainrule .bad { color: var(--bad); }
.chainrule code, .chainrule pre { font: 0.86em/1.5 ui-monospace, Consolas, "DejaVu Sans Mono",
  monospace; }
.chainrule pre { overflow-x: auto; margin: 0.6em 0; padding: 0.6em 0.9em; border-radius: 4px;
  background: var(--tint); }
.chainrule details { margin: 0.5em 0; padding: 0; border: 0; }
.chainrule details > .inside { margin-left: 0.42em; padding: 0.1em 0 0.1em 1em;
  border-left: 1px solid var(--line); }
.chainrule summary { cursor: pointer; list-style: none; padding: 0.35em 0;
  display: flex; gap: 0.55em; align-items: baseline; }
.chainrule summary::-webkit-details-marker { display: none; }
.chainrule summary::before { content: ""; flex: none; width: 0.38em; height: 0.38em;
  border: solid var(--accent); border-width: 0 0.14em 0.14em 0; transform: rotate(-45deg);
  position: relative; top: -0.1em; margin: 0 0.15em 0 0.08em; }
.chainrule details[open] > summary::before { transform: rotate(45deg); top: -0.22em; }
.chainrule summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px;
  border-radius: 3px; }
.chainrule math { font-size: 1.08em; text-indent: 0; }
.chainrule mtd { text-align: left; padding: 0.15em 0.5em 0.15em 0; }
.chainrule mtext.index { color: var(--quiet); font-size: 0.86em; }
.chainrule .equation { display: grid; grid-template-columns: max-content minmax(0, 1fr);
  column-gap: 0.35em; align-items: baseline; margin: 0.55em 0; }
.chainrule .long { display: block; }
.chainrule .long > .step { margin-left: 1.2em; }
.chainrule .left { grid-column: 1; }
.chainrule .equation math { padding: 0.1em 0; }
.chainrule .step { grid-column: 2; min-width: 0; overflow: auto hidden;
  padding: 0.25em 0 0.25em 1.5em; text-indent: -1.5em; }
.chainrule .note { color: var(--quiet); font-size: 0.88em; margin-left: 1.7em; text-indent: 0;
  display: inline-block; }
.chainrule .value { color: var(--accent); }
.chainrule .wide { overflow-x: auto; margin: 0.8em 0; }
.chainrule table { border-collapse: collapse; width: max-content; margin: 0;
  font-size: 0.95em; border: 0; }
.chainrule caption { caption-side: top; text-align: left; color: var(--quiet);
  padding: 0 0 0.35em; font-size: 0.95em; }
.chainrule th, .chainrule td { padding: 0.32em 1.1em 0.32em 0; text-align: left; border: 0;
  border-bottom: 1px solid var(--line); vertical-align: baseline; background: none;
  max-width: 22em; overflow-wrap: normal; }
.chainrule th { font-weight: 600; }
.chainrule .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.chainrule figure { margin: 1em 0; }
.chainrule img { display: block; max-width: 100%; height: auto; background: #fff;
  color-scheme: light; border-radius: 4px; }
@media (max-width: 560px) {
  .chainrule .equation { display: block; }
  .chainrule .left { overflow: auto hidden; }
  .chainrule .step { margin-left: 0.8em; }
  .chainrule details > .inside { padding-left: 0.7em; }
}
"""

# What only a page of its own has.
PAGE_RULES = """
:root { color-scheme: light dark; }
body { margin: 0; font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  color: #24282e; background: #fdfcfa; }
main.chainrule { max-width: 54rem; margin: 0 auto; padding: 2.2rem 1.2rem 5rem; }
.chainrule button { font: inherit; font-size: 0.88em; color: var(--accent); background: none;
  border: 1px solid var(--line); border-radius: 6px; padding: 0.35em 0.8em; cursor: pointer; }
.chainrule button + button { margin-left: 0.5em; }
.chainrule nav { margin: 0 0 1em; }
@media (prefers-color-scheme: dark) {
  body { color: #dcdfe4; background: #17191d; }
  main.chainrule { --accent: #7db3dc; --good: #6cc394; --bad: #f0857b; }
}
@media print {
  body { color: #000; background: none; font-size: 10.5pt; }
  main.chainrule { max-width: none; padding: 0; --accent: #1f4f75; }
  .chainrule nav { display: none; }
  .chainrule details:not([open])::details-content { content-visibility: visible; height: auto; }
  .chainrule .equation, .chainrule tr, .chainrule figure { break-inside: avoid; }
  .chainrule summary { break-after: avoid; }
  .chainrule .step, .chainrule .wide { overflow: visible; }
}
"""

# Without it everything can still be read: sections fold by themselves.
SCRIPT = """
const bar = document.querySelector("nav");
const fold = open => document.querySelectorAll("details").forEach(part => part.open = open);
bar.hidden = false;
bar.children[0].addEventListener("click", () => fold(true));
bar.children[1].addEventListener("click", () => fold(false));
addEventListener("beforeprint", () => fold(true));
"""
