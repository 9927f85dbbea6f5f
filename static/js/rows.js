// A row whose data-version changed glows once, so that the eye finds what moved.

let versions = read();

function read() {
  return new Map([...document.querySelectorAll("[data-version][id]")].map((row) => [row.id, row.dataset.version]));
}

document.addEventListener("htmx:afterSettle", () => {
  const now = read();
  for (const [id, version] of now) {
    if (!versions.has(id) || versions.get(id) === version) continue;
    const row = document.getElementById(id);
    row.classList.add("glow");
    row.addEventListener("animationend", () => row.classList.remove("glow"), { once: true });
  }
  versions = now;
});
