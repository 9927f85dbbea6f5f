// Notices that can be closed, notices an htmx answer asks for, and the one about refreshing that fails.

const LOOKS = { info: ["running", "info-circle"], good: ["succeeded", "circle-check"], warn: ["late", "alert-triangle"], bad: ["failed", "alert-circle"] };
const shelf = () => document.getElementById("notices");
const FAILING = "notice-failing";

function icon(name) {
  const sprite = document.querySelector("svg.icon use")?.getAttribute("href").split("#")[0];
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

function notice(kind, text, id = "") {
  const [role, name] = LOOKS[kind] ?? LOOKS.info;
  const line = document.createElement("div");
  line.className = `notice is-${role}`;
  line.setAttribute("role", kind === "bad" ? "alert" : "status");
  line.id = id;
  const words = document.createElement("div");
  line.append(icon(name), words);
  shelf()?.append(line);
  words.textContent = text;
}

function reveal() {
  for (const button of document.querySelectorAll("[data-notice-close][hidden]")) button.hidden = false;
}

document.addEventListener("click", (event) => {
  event.target.closest("[data-notice-close]")?.closest(".notice").remove();
});

document.addEventListener("notice", (event) => notice(event.detail.kind ?? "info", String(event.detail.text ?? event.detail.value ?? "")));

function why(event) {
  const status = event.detail.xhr?.status;
  if (status === 401 || status === 403) return "you are signed out, or may not see this any more. Reload the page.";
  if (status === 404) return "it is no longer there. Reload the page.";
  return status ? `the server answered ${status}. Retrying.` : "the server cannot be reached. Retrying.";
}

function failed(event) {
  const asked = event.detail.requestConfig?.verb ?? "get";
  const text = `${asked === "get" ? "Could not refresh" : "That did not work"}: ${why(event)}`;
  const standing = document.getElementById(FAILING);
  if (standing) standing.lastElementChild.textContent = text;
  else notice("warn", text, FAILING);
}

for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(name, failed);
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) document.getElementById(FAILING)?.remove();
});
document.addEventListener("htmx:afterSettle", reveal);
reveal();
