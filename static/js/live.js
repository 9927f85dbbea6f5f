// The clock of live pages: sends `live` on <body> often while somebody is there, seldom when not, never while hidden.
//
// Every 3 s for a minute after a visible sign of life, then every 10 s for five minutes, then once a minute; twice as
// long after each failure, up to a minute. Nothing is sent while the tab is hidden, the switch is off, a menu or a
// dialog is open, or text on the page is selected. A region that answered 286 is finished and never asks again.

const QUICK = 3000, CALM = 10000, IDLE = 60000;
const KEY = "live";
const finished = new Set();
const asked = new Map();
let lastSign = Date.now();
let lastGood = Date.now();
let failures = 0;
let timer = 0;

const part = (name) => document.querySelector(`[data-live-${name}]`);
const paused = () => document.cookie.split("; ").includes(`${KEY}=paused`);
const busy = () =>
  document.querySelector("main details.menu[open], dialog[open]") !== null || !(document.getSelection()?.isCollapsed ?? true);

function pace() {
  const quiet = Date.now() - lastSign;
  const base = quiet < 60000 ? QUICK : quiet < 360000 ? CALM : IDLE;
  return Math.min(base * 2 ** failures, IDLE);
}

function plan(after = pace()) {
  clearTimeout(timer);
  if (!document.hidden && !paused()) timer = setTimeout(tick, after);
}

function tick() {
  if (!busy()) document.body.dispatchEvent(new CustomEvent("live"));
  plan();
}

function wake() {
  if (document.hidden) return clearTimeout(timer);
  const slept = Date.now() - lastSign > 60000;
  lastSign = Date.now();
  if (slept) plan(0);
}

function say() {
  const text = part("text");
  if (!text) return;
  const seconds = Math.round((Date.now() - lastGood) / 1000);
  const age = seconds < 5 ? "now" : seconds < 90 ? `${seconds} s ago` : `${Math.round(seconds / 60)} m ago`;
  text.textContent = paused() ? `Paused, updated ${age}` : `Updated ${age}`;
  document.querySelector("[data-live]").dataset.state = paused() ? "paused" : failures ? "failing" : "running";
}

function announce(words) {
  const said = part("said");
  if (said && said.textContent !== words) said.textContent = words;
}

function toggle() {
  document.cookie = `${KEY}=${paused() ? "running" : "paused"}; path=/; max-age=31536000; samesite=lax`;
  show();
  announce(paused() ? "Refreshing is paused." : "Refreshing goes on.");
  plan(0);
}

function show() {
  for (const hidden of document.querySelectorAll("[data-live-part][hidden]")) hidden.hidden = false;
  const button = part("pause");
  if (button) {
    const name = paused() ? "Resume refreshing" : "Pause refreshing";
    button.setAttribute("aria-pressed", String(paused()));
    button.setAttribute("aria-label", name);
    button.title = name;
    const use = button.querySelector("use");
    use?.setAttribute("href", use.getAttribute("href").replace(/#.*/, paused() ? "#player-play" : "#player-pause"));
  }
  say();
}

const isLive = (event) => event.detail.requestConfig?.triggeringEvent?.type === "live";

document.addEventListener("htmx:confirm", (event) => {
  if (event.detail.triggeringEvent?.type !== "live") return;
  const region = event.detail.elt;
  const every = Number(region.dataset.liveEvery ?? 0) * 1000;
  const tooSoon = Date.now() - (asked.get(region.id) ?? 0) < every;
  if (finished.has(region.id) || tooSoon) return event.preventDefault();
  asked.set(region.id, Date.now());
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (!isLive(event)) return;
  if (event.detail.successful) {
    if (failures) announce("Refreshing works again.");
    failures = 0;
    lastGood = Date.now();
    if (event.detail.xhr.status === 286) finished.add(event.detail.elt.id);
  } else {
    failures = Math.min(failures + 1, 5);
    announce("Could not refresh.");
  }
  say();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-live-pause]")) toggle();
});

if (part("text")) {
  for (const name of ["pointermove", "keydown", "scroll"]) addEventListener(name, wake, { passive: true });
  document.addEventListener("visibilitychange", () => { lastSign = Date.now(); document.hidden ? clearTimeout(timer) : plan(0); });
  setInterval(() => { if (!document.hidden) say(); }, 1000);
  show();
  plan();
}
