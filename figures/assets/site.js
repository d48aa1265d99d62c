// What pages do beyond showing: themes, tabs, tables that sort and filter, charts that are drawn when somebody wants to touch
// them. Without scripts everything that these pages say still stands there.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  const all = (where, what) => [...where.querySelectorAll(what)];
  const made = (tag, given, ...inside) => { const one = Object.assign(document.createElement(tag), given); one.append(...inside); return one; };

  // --- light and dark: what the system says, unless the reader chose otherwise ---
  const kept = { get: () => { try { return localStorage.getItem("theme"); } catch { return null; } },
                 set: (theme) => { try { localStorage.setItem("theme", theme); } catch { /* private windows keep nothing */ } } };
  if (kept.get()) root.dataset.theme = kept.get();
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

  function themes() {
    const bar = document.querySelector(".bar");
    if (!bar) return;
    const button = made("button", { type: "button" });
    const say = () => { button.textContent = isDark() ? "Light" : "Dark"; button.setAttribute("aria-label", isDark() ? "Show in light colours" : "Show in dark colours"); };
    button.onclick = () => { root.dataset.theme = isDark() ? "light" : "dark"; kept.set(root.dataset.theme); say(); };
    say();
    bar.append(button);
  }

  // --- tabs: one panel at a time, the one of the address first ---
  const remember = (id) => { try { history.replaceState(null, "", `#${id}`); } catch { /* some browsers forbid it of files */ } };
  function tabs() {
    const panels = all(document, ".panel");
    const list = document.querySelector(".tabs");
    if (!list || panels.length < 2) return;
    list.setAttribute("role", "tablist");
    list.setAttribute("aria-label", "Whose data");
    const buttons = panels.map((panel) => {
      const button = made("button", { type: "button", id: `tab-${panel.id}`, textContent: panel.dataset.label });
      button.setAttribute("role", "tab");
      button.setAttribute("aria-controls", panel.id);
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", button.id);
      button.onclick = () => { show(panel); remember(panel.id); };
      return button;
    });
    list.append(...buttons);
    list.hidden = false;
    const show = (chosen) => panels.forEach((panel, i) => {
      const on = panel === chosen;
      panel.hidden = !on;
      buttons[i].setAttribute("aria-selected", String(on));
      buttons[i].tabIndex = on ? 0 : -1;
    });
    list.onkeydown = (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const at = buttons.indexOf(document.activeElement);
      const next = event.key === "Home" ? 0 : event.key === "End" ? buttons.length - 1 : step && (at + step + buttons.length) % buttons.length;
      if (next === undefined || at < 0) return;
      event.preventDefault();
      buttons[next].focus();
      buttons[next].click();
    };
    const asked = () => { const at = document.getElementById(decodeURIComponent(location.hash.slice(1))); return at && panels.find((panel) => panel.contains(at)); };
    show(asked() || panels[0]);
    addEventListener("hashchange", () => { const panel = asked(); if (panel) { show(panel); document.querySelector(location.hash).scrollIntoView(); } });
  }

  // --- tables: sorted by a column, filtered by words ---
  const FILTERED = 9;
  const number = (text) => { const found = text.replace(/\u2212/g, "-").replace(/[,\u00a0]/g, "").match(/^[<>=~+\s]*(-?\d+(\.\d+)?(e-?\d+)?)/i); return found ? parseFloat(found[1]) : NaN; };
  function sorted(table) {
    const body = table.tBodies[0], heads = table.tHead && [...table.tHead.rows].at(-1).cells;
    if (!body || !heads || body.rows.length < 3 || table.closest(".first") || all(body, "[rowspan]").length) return;
    const first = [...body.rows];
    [...heads].forEach((head, column) => {
      if (!head.textContent.trim()) return;
      const button = made("button", { type: "button" }, ...head.childNodes);
      head.append(button);
      button.onclick = () => {
        const now = { ascending: "descending", descending: "" }[head.getAttribute("aria-sort") || ""] ?? "ascending";
        [...heads].forEach((other) => other.removeAttribute("aria-sort"));
        if (now) head.setAttribute("aria-sort", now);
        const told = first.map((row) => row.cells[column]?.textContent.trim() ?? "");
        const numbers = told.map(number);
        const numeric = numbers.filter((value) => !Number.isNaN(value)).length > told.filter(Boolean).length / 2;
        const sign = now === "descending" ? -1 : 1;
        const order = first.map((_, i) => i).sort((a, b) => {
          if (!now) return a - b;
          if (!numeric) return sign * told[a].localeCompare(told[b], "en", { numeric: true });
          const [x, y] = [numbers[a], numbers[b]].map(Number.isNaN);
          return x || y ? x - y : sign * (numbers[a] - numbers[b]);  // what is no number comes last
        });
        body.append(...order.map((i) => first[i]));
      };
    });
  }
  let counted = 0;
  function filtered(rows, before, what) {
    const id = `filter-${++counted}`;
    const input = made("input", { type: "search", id });
    const told = made("span", {}); told.setAttribute("role", "status");
    input.oninput = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let left = 0;
      rows.forEach((row) => { const on = words.every((word) => row.textContent.toLowerCase().includes(word)); row.hidden = !on; left += on; });
      told.textContent = words.length ? `${left} of ${rows.length}` : "";
      document.dispatchEvent(new Event("filtered"));
    };
    before.before(made("div", { className: "filter" }, made("label", { htmlFor: id, textContent: what }), input, told));
  }
  function tables() {
    all(document, ".table table").forEach((table) => {
      sorted(table);
      const rows = table.tBodies[0] ? [...table.tBodies[0].rows] : [];
      if (rows.length > FILTERED && !table.closest(".first") && !all(table.tBodies[0], "[rowspan]").length) filtered(rows, table.closest(".table"), "Rows with");
    });
    all(document, "[data-filter]").forEach((list) => filtered(all(document, list.dataset.filter), list, "Find"));
    document.addEventListener("filtered", () => all(document, "[data-filtered]").forEach((part) => {
      part.hidden = !all(part, "[data-listed]").some((one) => !one.hidden);
    }));
  }

  // --- charts: the picture stands there until somebody wants to touch it ---
  const script = (source) => new Promise((done, failed) => document.head.append(made("script", { src: source, onload: done, onerror: () => failed(new Error(source)) })));
  let engine, before = Promise.resolve();
  const vega = () => engine ??= script("assets/vega.js").catch(() => script("../assets/vega.js"));
  const specification = (source, name) => (before = before.catch(() => {}).then(async () => { await script(source); return window.nem2e.charts[name]; }));
  async function draw(figure) {
    if (figure.dataset.state) return;
    figure.dataset.state = "waiting";
    const picture = figure.querySelector("img"), button = figure.querySelector(".touch");
    try {
      const [spec] = await Promise.all([specification(figure.dataset.chart, figure.dataset.name), vega()]);
      const drawing = made("div", { className: "drawing" });
      picture.before(drawing);
      const { wide, wide_from: from } = spec.usermeta ?? {};  // what a chart would have changed where there is room
      const { view } = await window.vegaEmbed(drawing, wide && drawing.clientWidth >= from ? { ...spec, ...wide } : spec, { actions: false, renderer: "svg", tooltip: { theme: isDark() ? "dark" : "light" } });
      picture.hidden = true;
      button?.remove();
      figure.dataset.state = "drawn";
      (window.nem2e.views ??= {})[figure.dataset.chart] = view;
    } catch (error) {
      figure.dataset.state = "failed";
      if (button) button.textContent = `This figure cannot be drawn here (${error.message}); the picture above stands.`;
    }
  }
  function charts() {
    const eager = new IntersectionObserver((seen) => seen.filter((one) => one.isIntersecting).forEach((one) => { eager.unobserve(one.target); draw(one.target); }), { rootMargin: "300px" });
    all(document, "figure[data-chart]").forEach((figure) => {
      if ("eager" in figure.dataset) { eager.observe(figure); return; }
      const button = made("button", { type: "button", className: "touch", textContent: "Touch this figure" });
      button.onclick = async () => { await draw(figure); figure.querySelector(".drawing select, .drawing input")?.focus(); };
      figure.querySelector("img").after(button);
      figure.addEventListener("pointerenter", () => draw(figure), { once: true });
    });
  }

  const begin = () => { themes(); tabs(); tables(); charts(); };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin); else begin();
})();
