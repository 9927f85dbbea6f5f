// Colours JSON by ranges over its plain text, and marks the lines that changed since the text was last swapped.

const LARGEST = 200_000;
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\b(?:true|false|null)\b/g;
const before = new Map();

function spot(names, node, from, to, name) {
  const range = new Range();
  range.setStart(node, from);
  range.setEnd(node, to);
  names[name].add(range);
}

function colour(names, node) {
  for (const found of node.data.matchAll(TOKEN)) {
    const name = found[2] !== undefined ? "json-key" : found[1] ? "json-string" : /[tfn]/.test(found[0][0]) ? "json-word" : "json-number";
    spot(names, node, found.index, found.index + (found[1] ?? found[0]).length, name);
  }
}

function markChanged(names, node, known) {
  const left = new Map();
  for (const line of known.split("\n")) left.set(line, (left.get(line) ?? 0) + 1);
  let at = 0;
  for (const line of node.data.split("\n")) {
    const count = left.get(line) ?? 0;
    if (count) left.set(line, count - 1);
    else spot(names, node, at + line.search(/\S|$/), at + line.length, "json-changed");
    at += line.length + 1;
  }
}

function paint() {
  if (!CSS.highlights) return;
  const names = {};
  for (const name of ["json-changed", "json-key", "json-string", "json-number", "json-word"]) {
    names[name] = new Highlight();
    CSS.highlights.set(name, names[name]);
  }
  for (const block of document.querySelectorAll("[data-json]")) {
    const node = block.firstChild;
    if (!(node instanceof Text) || node.length > LARGEST) continue;
    colour(names, node);
    const id = block.parentElement.id;
    const entry = before.get(id) ?? { text: node.data, from: node.data };
    if (entry.text !== node.data) [entry.from, entry.text] = [entry.text, node.data];
    before.set(id, entry);
    markChanged(names, node, entry.from);
  }
}

document.addEventListener("htmx:afterSettle", paint);
paint();
