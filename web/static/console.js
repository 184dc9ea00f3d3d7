// The console's small behaviours. Every page works without them.
"use strict";
(() => {
  const body = document.body;
  document.documentElement.classList.add("scripted");
  const say = (text) => { const said = document.getElementById("said"); if (said) said.textContent = text; };

  // Copy buttons, and the one that shows a password.
  document.addEventListener("click", (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      navigator.clipboard.writeText(copy.dataset.copy).then(() => {
        say(body.dataset.copied);
        copy.title = body.dataset.copied;
        setTimeout(() => { say(""); copy.removeAttribute("title"); }, 3000);
      });
    }
    const reveal = event.target.closest("[data-reveal]");
    if (reveal) {
      const input = document.getElementById(reveal.dataset.reveal);
      const text = reveal.textContent;
      input.type = input.type === "password" ? "text" : "password";
      reveal.textContent = reveal.dataset.shown;
      reveal.dataset.shown = text;
    }
    // A menu closes when something else is clicked.
    document.querySelectorAll("details.user[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  document.querySelectorAll("[data-reveal]").forEach((button) => { button.hidden = false; });
  const focus = document.querySelector("[data-focus]");
  if (focus) focus.focus();

  // Keys. Only focus moves; none spends money. Not while something is typed or composed.
  const typing = (target) => target.closest("input, select, textarea, [contenteditable], dialog[open]");
  const rows = () => [...document.querySelectorAll("[data-rows] [data-row]")];
  const move = (by) => {
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex((row) => row.contains(document.activeElement));
    const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by))];
    (next.querySelector("a[href]") || next).focus();
  };
  const press = (selector) => { const found = document.querySelector(selector); if (found) found.click(); };
  const places = { v: "overview", o: "orders", i: "inbox", b: "outbox", p: "providers" };
  let going = 0;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.querySelectorAll("details.user[open], details.menu[open]").forEach((menu) => { menu.open = false; });
    if (!("keys" in body.dataset) || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    if (going > Date.now() - 1500) {
      going = 0;
      if (places[event.key]) { event.preventDefault(); press(`[data-go="${places[event.key]}"]`); }
      return;
    }
    const find = document.getElementById("find");
    const actions = {
      "/": () => find && find.focus(),
      j: () => move(1), k: () => move(-1),
      x: () => { const row = document.activeElement.closest("[data-row]"); const box = row && row.querySelector("input[type=checkbox]"); if (box) box.click(); },
      g: () => { going = Date.now(); },
      "[": () => press("a[rel=prev]"), "]": () => press("a[rel=next]"),
      "?": () => { const keys = document.getElementById("keys"); if (keys) keys.showModal(); },
    };
    if (actions[event.key]) { event.preventDefault(); actions[event.key](); }
  });

  // Live: the event "live" of the body every 5 s, in a visible tab. What listens asks with htmx. After errors it
  // asks less, up to every 30 s, and [data-live] says since when nothing new came.
  const usual = 5000;
  let pause = usual, timer = 0, good = new Date();
  const state = (text) => document.querySelectorAll("[data-live]").forEach((element) => { element.textContent = text || element.dataset.live; element.classList.toggle("stale", !!text); });
  const later = () => {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(() => { body.dispatchEvent(new CustomEvent("live")); later(); }, pause);
  };
  document.addEventListener("visibilitychange", () => { if (!document.hidden) body.dispatchEvent(new CustomEvent("live")); later(); });
  const isLive = (event) => event.detail.requestConfig && event.detail.requestConfig.triggeringEvent && event.detail.requestConfig.triggeringEvent.type === "live";
  body.addEventListener("htmx:afterRequest", (event) => {
    if (!isLive(event)) return;
    if (event.detail.successful) { pause = usual; good = new Date(); state(""); return; }
    pause = Math.min(30000, pause * 2);
    state((body.dataset.stale || "").replace("%s", good.toTimeString().slice(0, 8)));
  });
  later();

  // A list that is live says whether its reader is in the middle of it: rows stay where they are then.
  body.addEventListener("htmx:configRequest", (event) => {
    const list = event.detail.elt;
    if (!list.matches || !list.matches("[data-busy]")) return;
    if (window.scrollY > 40 || list.contains(document.activeElement) || list.querySelector("input:checked") || String(document.getSelection())) event.detail.parameters.busy = "1";
  });
  // What was unfolded stays so when a part is replaced, and new rows are tinted for a while.
  let open = [];
  const name = (details) => details.id || (details.closest("[id]") || details).id + " " + details.className;
  body.addEventListener("htmx:beforeSwap", (event) => { open = [...event.detail.target.querySelectorAll("details[open]")].map(name); });
  body.addEventListener("htmx:afterSettle", () => {
    document.querySelectorAll("details:not([open])").forEach((details) => { if (open.includes(name(details))) details.open = true; });
    open = [];
    document.querySelectorAll("tr.new").forEach((row) => setTimeout(() => row.classList.remove("new"), 4000));
  });
  // A name lights up wherever it stands, by mouse and by focus.
  const light = (event, on) => {
    const of = event.target.closest && event.target.closest("[data-ref]");
    if (!of) return;
    const same = [...document.querySelectorAll("[data-ref]")].filter((other) => other.dataset.ref === of.dataset.ref);
    same.forEach((other) => other.classList.toggle("lit", on && same.length > 1));
  };
  for (const [kind, on] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) document.addEventListener(kind, (event) => light(event, on));

  // Whoever types an amount means a part.
  document.addEventListener("input", (event) => {
    if (!event.target.matches("form.act input[name=amount]")) return;
    const some = event.target.form.querySelector("input[name=part][value=some]");
    if (some && event.target.value) some.checked = true;
  });

  // After the content was replaced, reading goes on at its heading.
  body.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target && event.detail.target.id === "main") { const h1 = document.querySelector("main h1"); if (h1) { h1.tabIndex = -1; h1.focus(); } }
  });
})();
