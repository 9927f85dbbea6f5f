// Rows of a Django formset are added and removed in place; without scripts the same buttons submit the form.
//
// A container carries data-rows="PREFIX" and holds the management form, [data-rows-list] with [data-row] children,
// a <template data-rows-template> with `__prefix__` in its names, [data-rows-add] and, in each row, [data-rows-remove].

const ATTRIBUTES = ["name", "id", "for", "aria-describedby", "aria-labelledby", "value"];

function rename(row, from, to) {
  for (const node of row.querySelectorAll("*")) {
    for (const attribute of ATTRIBUTES) {
      const value = node.getAttribute(attribute);
      if (value && (attribute !== "value" || node.dataset.rowsRemove !== undefined)) node.setAttribute(attribute, value.replaceAll(from, to));
    }
  }
}

const list = (box) => box.querySelector("[data-rows-list]");
const rows = (box) => [...list(box).querySelectorAll(":scope > [data-row]")];
const total = (box) => box.querySelector(`[name="${box.dataset.rows}-TOTAL_FORMS"]`);

function add(box) {
  const row = box.querySelector("template[data-rows-template]").content.firstElementChild.cloneNode(true);
  const index = rows(box).length;
  rename(row, "__prefix__", String(index));
  list(box).append(row);
  total(box).value = index + 1;
  row.querySelector("input:not([type=hidden]), select, textarea")?.focus();
}

function remove(box, row) {
  const mark = row.querySelector('[name$="-DELETE"]');
  if (mark) {
    mark.checked = true;
    mark.value = "on";
    row.hidden = true;
  } else {
    row.remove();
    renumber(box);
  }
  box.querySelector("[data-rows-add]")?.focus();
}

function renumber(box) {
  const prefix = box.dataset.rows;
  rows(box).forEach((row, index) => {
    const old = row.querySelector(`[name^="${prefix}-"]`)?.name.match(/-(\d+)-/)?.[1];
    if (old !== undefined && old !== String(index)) rename(row, `${prefix}-${old}`, `${prefix}-${index}`);
  });
  total(box).value = rows(box).length;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-rows-add], [data-rows-remove]");
  const box = button?.closest("[data-rows]");
  if (!box || !total(box)) return;
  event.preventDefault();
  if (button.matches("[data-rows-add]")) add(box);
  else remove(box, button.closest("[data-row]"));
  box.dispatchEvent(new Event("change", { bubbles: true }));
});
