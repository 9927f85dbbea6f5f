// Copy buttons answer "Copied", also on pages served over plain http, where the clipboard API is missing.

async function put(text) {
  if (navigator.clipboard && window.isSecureContext) {
    try { return await navigator.clipboard.writeText(text); } catch { /* not allowed: try the old way */ }
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("The browser did not allow it");
}

function textOf(button) {
  if (button.dataset.copy !== undefined) return button.dataset.copy;
  const source = button.closest(button.dataset.copyFrom) ?? document.querySelector(button.dataset.copyFrom);
  const parts = source ? [...source.querySelectorAll("[data-copy-part]")] : [];
  return parts.length ? parts.map((part) => part.textContent).join("\n") : source?.textContent ?? "";
}

function answer(button, word) {
  button.querySelector(".copy-done")?.remove();
  const said = document.createElement("span");
  said.className = "copy-done";
  said.setAttribute("role", "status");
  button.append(said);
  said.textContent = word;
  setTimeout(() => said.remove(), 1500);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (!button) return;
  event.preventDefault();
  try {
    await put(textOf(button));
    answer(button, "Copied");
  } catch {
    answer(button, "Not copied");
  }
  button.focus();
});
