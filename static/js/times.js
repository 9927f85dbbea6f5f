// Relative times keep telling the truth while the page stands open: "12 s ago" becomes "13 s ago".

// The same steps as the server's `ago`.
const DAY = 86400;
const STEPS = [[60, 1, "s"], [3600, 60, "m"], [DAY, 3600, "h"], [60 * DAY, DAY, "d"], [730 * DAY, 30 * DAY, "mo"], [Infinity, 365 * DAY, "y"]];

function ago(moment, now = Date.now()) {
  const seconds = Math.trunc((now - moment) / 1000);
  const size = Math.abs(seconds);
  if (size < 5) return "now";
  const [, unit, word] = STEPS.find(([limit]) => size < limit);
  const said = `${Math.floor(size / unit)} ${word}`;
  return seconds > 0 ? `${said} ago` : `in ${said}`;
}

function refresh() {
  if (document.hidden) return;
  for (const time of document.querySelectorAll("time[data-live-time]")) {
    const shown = time.querySelector(".t-ago");
    const said = ago(Date.parse(time.dateTime));
    if (shown && shown.textContent !== said) shown.textContent = said;
  }
}

setInterval(refresh, 5000);
document.addEventListener("visibilitychange", refresh);
document.addEventListener("htmx:afterSettle", refresh);
