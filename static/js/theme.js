// The theme and time switches answer at once; without scripts the same buttons post to the preferences page.

const ATTRIBUTE = { theme: "data-bs-theme", times: "data-times" };

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-choices] button[name]");
  if (!button) return;
  event.preventDefault();
  document.documentElement.setAttribute(ATTRIBUTE[button.name], button.value);
  document.cookie = `${button.name}=${button.value}; path=/; max-age=31536000; samesite=lax`;
  for (const other of document.querySelectorAll(`[data-choices] button[name="${button.name}"]`)) {
    other.setAttribute("aria-pressed", String(other.value === button.value));
  }
});
