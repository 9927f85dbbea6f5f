// How long something has been running goes on counting while the page stands open: "8 m 26 s" becomes "8 m 27 s".

// The same words as the server's `human_ms`.
function human(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} m`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

function refresh() {
  if (document.hidden) return;
  for (const time of document.querySelectorAll("time[data-live-elapsed]")) {
    const said = human(Date.now() - Date.parse(time.dateTime));
    if (time.textContent !== said) time.textContent = said;
  }
}

setInterval(refresh, 1000);
document.addEventListener("visibilitychange", refresh);
document.addEventListener("htmx:afterSettle", refresh);
refresh();
