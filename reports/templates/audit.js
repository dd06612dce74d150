"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  const theme = document.getElementById("theme");
  const remembered = () => { try { return localStorage.getItem("bfaudit-theme"); } catch { return null; } };
  const remember = (value) => { try { localStorage.setItem("bfaudit-theme", value); } catch { /* a file may have no storage */ } };
  const dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const paint = (value) => { root.dataset.theme = value; theme.textContent = value === "dark" ? "Light" : "Dark"; };
  theme.textContent = dark() ? "Light" : "Dark";
  if (["light", "dark"].includes(remembered())) paint(remembered());
  theme.hidden = false;
  theme.addEventListener("click", () => { paint(dark() ? "light" : "dark"); remember(root.dataset.theme); });

  const form = document.getElementById("filters");
  const shown = document.getElementById("shown");
  const items = all(".item").map((node) => {
    const group = node.closest(".group");
    const heading = group && group !== node ? group.querySelector("header").textContent : "";
    return {
      node,
      text: `${heading} ${node.textContent}`.toLowerCase(),
      severity: (node.dataset.severity ?? "").split(" "),
      outcome: (node.dataset.outcome ?? "").split(" "),
      exchange: node.dataset.exchange ?? "",
    };
  });
  const groups = all(".group").filter((group) => group.querySelector(".item"));
  const apply = () => {
    const { text, severity, outcome, exchange } = Object.fromEntries(new FormData(form));
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const item of items) {
      const keep =
        (!severity || item.severity.includes(severity)) &&
        (!outcome || item.outcome.includes(outcome)) &&
        (!exchange || item.exchange === exchange || ` ${item.exchange} `.includes(` ${exchange} `)) &&
        words.every((word) => item.text.includes(word));
      item.node.hidden = !keep;
      count += keep ? 1 : 0;
    }
    for (const group of groups) group.hidden = !group.querySelector(".item:not([hidden])");
    shown.textContent = count === items.length ? "" : `${count} of ${items.length} shown`;
  };
  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));

  const openTarget = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) { target.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", openTarget);
  openTarget();

  let closed = [];
  addEventListener("beforeprint", () => { closed = all("details:not([open])"); for (const each of closed) each.open = true; });
  addEventListener("afterprint", () => { for (const each of closed) each.open = false; });
})();
