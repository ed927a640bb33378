// Countdowns from absolute times, the reader's zone, and keys. Everything works without it, only less conveniently.
"use strict";

(() => {
  const language = document.documentElement.lang || "en";
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "always", style: "short" });
  const MINUTE = 60, HOUR = 3600, DAY = 86400;

  // The server writes times in the zone of this cookie, from the next page on.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.split("; ").includes(`zone=${zone}`)) {
    document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
  }

  // The same limits as `web/pages/reader.py`.
  function fromNow(seconds) {
    const size = Math.abs(seconds);
    const [unit, length] = size < 120 * MINUTE ? ["minute", MINUTE] : size < 48 * HOUR ? ["hour", HOUR] : ["day", DAY];
    const count = Math.max(1, Math.floor(size / length));
    return relative.format(seconds < 0 ? -count : count, unit);
  }

  function tick() {
    for (const shown of document.querySelectorAll("time[data-from-now]")) {
      const text = fromNow((Date.parse(shown.dateTime) - Date.now()) / 1000);
      if (shown.textContent !== text) shown.textContent = text;
    }
  }

  // Keys. An element names its key (`data-key`); the list of cases has a current row.
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const current = () => rows().findIndex((row) => row.contains(document.activeElement));

  function move(by) {
    const all = rows();
    if (!all.length) return;
    const at = current();
    const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1);
    all[next].querySelector("a").focus();
    all[next].scrollIntoView({ block: "nearest" });
  }

  function act(key) {
    if (key === "j") return move(1), true;
    if (key === "k") return move(-1), true;
    const row = rows()[current()];
    const target = row?.querySelector(`[data-key="${CSS.escape(key)}"]`)
      ?? document.querySelector(`[data-key="${CSS.escape(key)}"]:not([data-row] *)`);
    if (!target) return false;
    if (target.matches("dialog")) target.showModal();
    else if (target.matches("a, button, summary")) target.click();
    else target.focus();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea, [contenteditable], dialog[open]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (act(event.key)) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const closed = event.target.closest("[data-close]")?.closest("dialog");
    if (closed) closed.close();
    const opener = event.target.closest("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  });

  // A list in a form: another entry is a copy of the last one.
  document.addEventListener("click", (event) => {
    const list = event.target.closest("[data-add]")?.parentElement.querySelector("[data-entries]");
    if (!list) return;
    const copy = list.lastElementChild.cloneNode(true);
    for (const field of copy.querySelectorAll("input, select, textarea")) {
      field.value = "";
      field.name = field.name.replace(/\d+(?=[^\d]*$)/, list.children.length);
      field.id = `${field.id}-${list.children.length}`;
      field.closest(".field")?.querySelector("label")?.setAttribute("for", field.id);
    }
    list.append(copy);
    copy.querySelector("input, select, textarea")?.focus();
  });

  tick();
  setInterval(tick, 1000);
  document.addEventListener("htmx:after:swap", tick);
})();
