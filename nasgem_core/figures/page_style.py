"""The looks of a page: light and dark, on a desk, on a phone and in print."""

STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1f2328; --muted: #59636e; --line: #d8dee4;
  --panel: #f6f8fa; --accent: #0060a0; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #101418; --ink: #e6edf3; --muted: #9aa7b4; --line: #30363d; --panel: #181d23; --accent: #6cb6ff; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 74rem; padding: 1.5rem clamp(1rem, 4vw, 2.5rem) 4rem; background: var(--ground);
  color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
h1 { font-size: clamp(1.5rem, 5vw, 2.1rem); line-height: 1.2; margin: 0 0 .75rem; overflow-wrap: anywhere; }
h2 { font-size: 1.35rem; line-height: 1.3; margin: 0 0 .75rem; }
h3 { font-size: 1.1rem; line-height: 1.3; margin: 0 0 .6rem; }
a { color: var(--accent); }
.lead { font-size: 1.15rem; line-height: 1.5; max-width: 48rem; margin: 0 0 1rem; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .75rem; margin: 0 0 1.5rem; }
dl div { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .85rem; }
dl div.long { grid-column: span 2; }
dt { color: var(--muted); font-size: .85rem; }
dd { margin: 0; font-size: 1.1rem; font-weight: 600; overflow-wrap: anywhere; }
dl.origin { gap: .1rem 1.5rem; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); }
dl.origin div { background: none; border: 0; padding: 0; display: flex; gap: .5rem; font-size: .95rem; }
dl.origin dt { font-size: inherit; flex: none; }
dl.origin dd { font-size: inherit; font-weight: 400; }
nav ul { columns: 16rem; margin: 0 0 2rem; padding-left: 1.2rem; font-size: .95rem; }
nav ul ul { columns: auto; margin: 0; }
section { border-top: 1px solid var(--line); padding: 1.75rem 0 .5rem; scroll-margin-top: 1rem; }
section section { border-top: 0; padding: .75rem 0; }
figure { margin: 0; }
figure .scroll { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem; }
figure .scroll:has(> img) { background: #ffffff; }
img, figure .scroll > svg { display: block; max-width: 100%; height: auto; margin: 0 auto; }
svg text { fill: currentColor; }
svg a:hover path, svg a:hover use, svg a:focus path, svg a:focus use { stroke: var(--ink); stroke-width: 2.5; }
figcaption, .note, .words { color: var(--muted); font-size: .95rem; margin: .6rem 0 0; max-width: 46rem; }
.words { margin: 0 0 1rem; }
.scroll { overflow-x: auto; }
.scroll:has(> table) { background: linear-gradient(to right, var(--ground) 40%, transparent) left / 3rem 100% local,
  linear-gradient(to left, var(--ground) 40%, transparent) right / 3rem 100% local,
  linear-gradient(to right, #0003, transparent) left / 1rem 100% scroll,
  linear-gradient(to left, #0003, transparent) right / 1rem 100% scroll; background-repeat: no-repeat; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .95rem; }
th, td { padding: .35rem .7rem; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { background: var(--panel); vertical-align: bottom; white-space: normal; }
th.long { min-width: 8rem; }
.number { text-align: right; }
.first tbody tr:first-child { font-weight: 650; background: var(--panel); }
.colours { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; padding: 0; margin: 0 0 1rem; }
.colours span { display: inline-block; width: .9em; height: .9em; border-radius: 50%; margin-right: .4em;
  border: 1px solid var(--ink); vertical-align: -.1em; print-color-adjust: exact; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: .75rem; }
.gallery figure { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem; scroll-margin-top: 1rem; }
.gallery figure:target { outline: 3px solid var(--accent); }
.gallery svg { display: block; width: 100%; height: 7rem; }
.gallery figcaption { font-size: .85rem; overflow-wrap: anywhere; }
@media (min-width: 60rem) {
  td:not(.number, :first-child) { white-space: normal; }
}
@media (max-width: 40rem) {
  figure .scroll > .wide { max-width: none; width: 40rem; }
  figure:has(.wide) figcaption::before { content: "Scroll the picture sideways to see all of it. "; }
  nav ul ul { display: none; }
  dl div.long { grid-column: 1 / -1; }
}
@media print {
  :root { color-scheme: light; --ground: #ffffff; --ink: #000000; --muted: #444444; --line: #cccccc; --panel: #f2f2f2; }
  @page { margin: 15mm; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav { display: none; }
  h2, h3, h2 + .words, .colours { break-after: avoid; }
  figure, dl div, tr { break-inside: avoid; }
  h3 + dl, h3 + .scroll { break-before: avoid; }
  figure .scroll > * { max-height: 88mm; width: auto; }
  .scroll, .scroll:has(> table) { overflow: visible; background: none; }
  th, td { white-space: normal; padding: .15rem .4rem; font-size: 8pt; }
  .gallery { grid-template-columns: repeat(5, 1fr); gap: 3mm; }
  .gallery svg { height: 18mm; }
  .gallery figcaption { font-size: 7pt; }
}
"""
