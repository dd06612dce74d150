"use strict";
(() => {
  const CHUNK = 100; // rows drawn at a time
  const PRINTED = 1000; // rows of each list on paper
  const SEVERITIES = ["critical", "high", "medium", "low", "info"];
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);
  const many = (number, noun) => `${number.toLocaleString(_tag("en"))} ${noun}${number === 1 ? "" : "s"}`;

  // Light and dark
  const theme = byId("theme");
  const remembered = () => { try { return localStorage.getItem("bfaudit-theme"); } catch { return null; } };
  const remember = (value) => { try { localStorage.setItem("bfaudit-theme", value); } catch { /* a file may have no storage */ } };
  const dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const paint = (value) => { root.dataset.theme = value; theme.textContent = value === "dark" ? _("Light") : _("Dark"); };
  theme.textContent = dark() ? _("Light") : _("Dark");
  if (["light", "dark"].includes(remembered())) paint(remembered());
  theme.hidden = false;
  theme.addEventListener("click", () => { paint(dark() ? "light" : "dark"); remember(root.dataset.theme); });

  // The rows: each has what filters look at, and `values()` for the template that draws it
  const data = JSON.parse(byId("data").textContent);
  const T = data.texts;
  const rules = data.rules.map(([id, title, severity, policy, rationale, controls, references]) => ({
    id, title, severity, policy, rationale,
    controls: controls.map(([framework, ids]) => ({ framework, ids })),
    references: references.map((text) => (text.startsWith("https://") ? { link: text } : { text })),
  }));
  const lower = (...parts) => parts.flat(9).filter((part) => typeof part === "string").join(" ").toLowerCase();
  const lazily = (row, make) => { let text; row.text = () => (text ??= make()); return row; };

  const findingRow = ([rule, who, judged, fix, place, fingerprint, exception]) => {
    const of = rules[rule];
    const [connection, exchange, strategy, scanned] = T[who];
    const row = {
      id: `f-${fingerprint}`, template: "draw-finding", rule: of, connection,
      severity: (word) => word === of.severity,
      outcome: (word) => word === "fail",
      exchange: (word) => word === exchange,
      strategy: (word) => word === strategy,
      judges: (id) => id === of.id,
      key: { "": of.id, severity: of.severity, exchange, connection },
      values: () => ({
        anchor: `f-${fingerprint}`, link: `#f-${fingerprint}`, severity: of.severity, title: of.title, rule: of.id,
        connection, exchange, scanned, place, fingerprint, fix: T[fix], exception: T[exception],
        remark: T[judged][0], expected: T[judged][1],
        observed: T[judged][2].map(([field, value, unknown, source, limitation]) =>
          ({ field, value, unknown, source, limitation, tone: unknown && "unknown" })),
      }),
    };
    return lazily(row, () => lower(of.title, of.id, of.policy, T[who], T[judged], T[fix], place, fingerprint, T[exception]));
  };

  const gapRow = ([outcome, heading, ruleNumbers, reasons, connections]) => {
    const judging = ruleNumbers.map((number) => rules[number]);
    const people = connections.map(([who, place]) => ({ who: T[who], place: T[place] }));
    const row = {
      template: "draw-gap",
      severity: (word) => judging.some((rule) => rule.severity === word),
      outcome: (word) => word === T[outcome],
      exchange: (word) => people.some(({ who }) => who[1] === word),
      strategy: (word) => people.some(({ who }) => who[2] === word),
      judges: (id) => judging.some((rule) => rule.id === id),
      values: (state) => {
        const fits = people.filter(({ who }) => (!state.exchange || who[1] === state.exchange) && (!state.strategy || who[2] === state.strategy));
        const shown = fits.slice(0, 20);
        return {
          outcome: T[outcome], heading: T[heading], rules: judging,
          connections: shown.map(({ who, place }) => ({ connection: who[0], exchange: who[1], place })),
          others: fits.length > shown.length ? _t(`and ${many(fits.length - shown.length, _n("{n} more connection", "{n} more connections"))}`) : "",
          reasons: T[reasons].map(([why, fields]) => ({ why, fields: fields.map((field) => ({ field })) })),
        };
      },
    };
    return lazily(row, () => lower(T[heading], judging.map((rule) => [rule.id, rule.title]), T[reasons], people.map(({ who, place }) => [who, place])));
  };

  const fleetRow = (cells) => {
    const [name, exchange, strategy, owner, status, reason, detail, advice, marks, others, addresses] = cells.slice(0, 11).map((cell) => T[cell]);
    const [unrestricted, age, days, label, fingerprint, ends, endsWhy, endsAt, findings, unanswered, excepted, passed, place, thief] = cells.slice(11);
    const found = T[findings];
    const row = {
      template: "draw-connection", connection: name,
      severity: (word) => found.some(([severity]) => severity === word),
      outcome: (word) => (word === "fail" ? found.length > 0 : unanswered > 0),
      exchange: (word) => word === exchange,
      strategy: (word) => word === strategy,
      judges: (id, outcome) => concerned(id, outcome).has(name),
      excepted,
      sort: {
        name, status: status[1], addresses, age: days ?? Infinity, ends: endsAt ?? Infinity,
        worst: -SEVERITIES.reduce((sum, word) => sum * 1e3 + (found.find(([severity]) => severity === word)?.[1] ?? 0), 0),
      },
      values: () => ({
        name, exchange, strategy, owner, mark: status[0], status: status[1], tone: status[2], reason, detail, advice, addresses, place,
        loudness: unrestricted ? "loud" : [_("unknown"), _("restricted, list unknown")].includes(addresses) ? "addresses-unknown" : "addresses",
        age: T[age], aging: T[age] === _("unknown") ? "unknown" : "", label: T[label], fingerprint: T[fingerprint],
        ends: T[ends], ending: T[ends] === _("unknown") ? "unknown" : "", ends_why: T[endsWhy],
        others: others.map(([mark, tone, word]) => ({ mark, tone, word })),
        findings: found.map(([word, number]) => ({ word, number })),
        unanswered: unanswered || "", excepted: excepted || "", passed: String(passed),
        sentence: T[thief][0], worst: T[thief][1],
        ways: T[thief][2].map(([what, answer, word, why, evidence]) => ({ what, answer, word, why, evidence })),
        permissions: marks,
      }),
    };
    return lazily(row, () => lower(name, exchange, strategy, owner, status[1], reason, detail, addresses, others, T[label], T[fingerprint], T[ends], T[thief][0]));
  };

  // Which connections a rule found something on, or had no answer for
  const known = new Map();
  const concerned = (id, outcome) => {
    const look = `${outcome} ${id}`;
    if (!known.has(look)) {
      const names = new Set();
      if (["", "fail"].includes(outcome)) for (const [rule, who] of [...data.findings, ...data.excepted]) if (rules[rule].id === id) names.add(T[who][0]);
      for (const [ended, , judging, , connections] of data.gaps) if (["", T[ended]].includes(outcome) && judging.some((number) => rules[number].id === id)) for (const [who] of connections) names.add(T[who][0]);
      known.set(look, names);
    }
    return known.get(look);
  };

  // A template with its values: `data-slot` is text, `data-class` a class, `data-set` attributes, `data-each` repeats its
  // first child, `data-if` is left out where there is no value
  const fill = (node, values) => {
    for (const part of all("[data-if]", node)) if (part.closest("[data-each]") === null || !node.contains(part.closest("[data-each]"))) if (!values[part.dataset.if]) part.remove();
    for (const list of all("[data-each]", node)) {
      if (!node.contains(list) || list.parentElement.closest("[data-each]")) continue;
      const first = list.firstElementChild;
      const rows = values[list.dataset.each].flatMap((item) => [fill(first.cloneNode(true), item), " "]);
      list.removeAttribute("data-each");
      list.replaceChildren(...rows);
    }
    for (const part of [node, ...all("[data-slot], [data-class], [data-set]", node)]) {
      const { slot, class: word, set } = part.dataset;
      if (word !== undefined && values[word]) part.classList.add(values[word]);
      if (set !== undefined) {
        const [attribute, value] = set.split(":");
        if (values[value]) part.setAttribute(attribute, values[value]);
      }
      if (slot !== undefined) {
        const value = values[slot];
        if (value === undefined || value === null || value === "") { if (part.tagName === "SMALL") part.remove(); else part.textContent = ""; }
        else part.textContent = String(_word(value, slot === "severity" || slot === "outcome" || slot === "word"));
      }
      for (const name of ["slot", "class", "set"]) delete part.dataset[name];
    }
    return node;
  };
  const opened = new Set(); // what somebody opened stays open when it is drawn again
  document.addEventListener("toggle", ({ target }) => { if (target.id) opened[target.open ? "add" : "delete"](target.id); }, true);
  const draw = (row, state) => {
    const values = row.values(state);
    const node = fill(byId(row.template).content.querySelector(".item").cloneNode(true), values);
    for (const [index, [mark, tone, label]] of (values.permissions ?? []).entries()) {
      const cell = node.querySelector(`[data-permission="permission${index}"]`);
      cell.classList.add(tone);
      cell.textContent = mark;
      cell.setAttribute("aria-label", label);
      cell.title = label;
    }
    if (opened.has(row.id)) node.open = true;
    return node;
  };

  // A list: rows that fit, in order, drawn as far as somebody asked
  class List {
    constructor(name, rows, grouped) {
      this.node = document.querySelector(`[data-list=${name}]`);
      this.more = document.querySelector(`[data-more=${name}]`);
      this.told = this.more.querySelector("[data-told]");
      this.button = this.more.querySelector("button");
      this.rows = rows;
      this.grouped = grouped;
      this.fits = rows;
      this.at = all(":scope > .item, .members > .item", this.node).length;
      this.group = this.node.lastElementChild;
      this.button.addEventListener("click", () => {
        const before = this.at;
        this.extend(CHUNK);
        const first = all(":scope > .item, .members > .item", this.node)[before];
        (first?.querySelector("summary") ?? first)?.focus();
      });
      this.tell();
    }
    show(keep, order, state) {
      this.state = state;
      this.fits = order(this.rows.filter(keep), this);
      this.at = 0;
      this.group = null;
      for (const old of all(":scope > .item, :scope > .group", this.node)) old.remove();
      this.node.classList.toggle("by-rule", !state.group);
      this.extend(CHUNK);
    }
    extend(number) {
      const state = this.state ?? { group: "" };
      const target = Math.min(this.fits.length, this.at + number);
      let batch = document.createDocumentFragment();
      const flush = () => { const into = this.grouped ? this.group?.querySelector(".members") : this.node; into?.append(batch); batch = document.createDocumentFragment(); };
      for (; this.at < target; this.at += 1) {
        const row = this.fits[this.at];
        if (this.grouped) {
          const key = row.key[state.group];
          if (this.group?.dataset.key !== key) { flush(); this.group = this.open(row, key, state.group); this.node.append(this.group); }
        }
        batch.append(draw(row, state));
      }
      flush();
      this.tell();
    }
    open(row, key, by) {
      const number = this.fits.filter((each) => each.key[by] === key).length;
      const node = byId(by ? "draw-group" : "draw-rule").content.firstElementChild.cloneNode(true);
      fill(node, by ? { title: _word(key, by === "severity"), number: many(number, _n("{n} finding", "{n} findings")) } : { ...row.rule, number: many(number, _n("{n} connection", "{n} connections")) });
      node.dataset.key = key;
      if (!by || by === "severity") node.classList.add(row.rule.severity);
      return node;
    }
    tell() {
      const left = this.fits.length - this.at;
      this.told.textContent = left > 0 ? _t(`${this.at.toLocaleString(_tag("en"))} of ${this.fits.length.toLocaleString(_tag("en"))} drawn. `) : "";
      this.button.hidden = left <= 0;
      this.button.textContent = _t(`Show ${Math.min(left, CHUNK).toLocaleString(_tag("en"))} more`);
      this.more.hidden = left <= 0 && !this.more.querySelector("strong");
    }
  }
  const lists = {
    fleet: new List("fleet", data.fleet.map(fleetRow), false),
    findings: new List("findings", data.findings.map(findingRow), true),
    excepted: new List("excepted", data.excepted.map(findingRow), true),
    gaps: new List("gaps", data.gaps.map(gapRow), false),
  };
  const rejected = all(".rejected");
  const every = Object.values(lists).reduce((sum, list) => sum + list.rows.length, rejected.length);

  // Filters, and the address that holds them
  const form = byId("filters");
  const shown = byId("shown");
  const CONTROLS = ["text", "severity", "outcome", "excepted", "exchange", "strategy", "rule", "group", "sort"];
  const strategies = [...new Set(data.fleet.map((cells) => T[cells[2]]).filter(Boolean))].sort();
  for (const word of strategies) form.elements.strategy.add(new Option(word, word));

  const read = () => Object.fromEntries(CONTROLS.map((name) => [name, form.elements[name].value]));
  const matching = (state) => {
    const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
    return (row) =>
      (!state.severity || row.severity(state.severity)) &&
      (!state.outcome || row.outcome(state.outcome)) &&
      (!state.exchange || row.exchange(state.exchange)) &&
      (!state.strategy || row.strategy(state.strategy)) &&
      (!state.rule || row.judges(state.rule, state.outcome)) &&
      words.every((word) => row.text().includes(word));
  };
  const ordered = (state) => (rows, list) => {
    if (list.grouped && state.group) {
      const groups = new Map();
      for (const row of rows) { const key = row.key[state.group]; if (!groups.has(key)) groups.set(key, []); groups.get(key).push(row); }
      return [...groups.values()].flat();
    }
    if (list !== lists.fleet || !state.sort) return rows;
    const by = state.sort.replace("-", "");
    const turn = state.sort.startsWith("-") ? -1 : 1;
    return rows.toSorted((one, other) => {
      const a = one.sort[by], b = other.sort[by];
      return turn * (typeof a === "string" ? a.localeCompare(b, _tag("en"), { numeric: true }) : a === b ? 0 : a - b);
    });
  };
  const apply = () => {
    const state = read();
    const fits = matching(state);
    const order = ordered(state);
    lists.fleet.show((row) => fits(row) && (state.excepted !== "yes" || row.excepted), order, state);
    lists.findings.show((row) => state.excepted !== "yes" && fits(row), order, state);
    lists.excepted.show((row) => state.excepted !== "no" && fits(row), order, state);
    lists.gaps.show((row) => !state.excepted.includes("yes") && fits(row), order, state);
    const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
    const narrow = ["severity", "exchange", "strategy", "rule"].some((name) => state[name]) || state.excepted === "yes" || !["", "error"].includes(state.outcome);
    for (const node of rejected) node.hidden = narrow || !words.every((word) => node.textContent.toLowerCase().includes(word));
    const count = Object.values(lists).reduce((sum, list) => sum + list.fits.length, rejected.filter((node) => !node.hidden).length);
    shown.textContent = count === every ? "" : _t(`${count.toLocaleString(_tag("en"))} of ${every.toLocaleString(_tag("en"))} shown`);
    for (const head of all("th[data-sort]")) {
      const on = state.sort.replace("-", "") === head.dataset.sort;
      if (on) head.setAttribute("aria-sort", state.sort.startsWith("-") ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    return state;
  };
  const remark = (state) => {
    const set = new URLSearchParams(CONTROLS.filter((name) => state[name]).map((name) => [name, state[name]]));
    history.replaceState(null, "", `#${set}`);
  };
  const change = () => remark(apply());

  let soon;
  form.hidden = false;
  form.addEventListener("input", (event) => { clearTimeout(soon); soon = setTimeout(change, event.target.name === "text" ? 120 : 0); });
  form.addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(soon); change(); });
  form.addEventListener("reset", () => { clearTimeout(soon); form.elements.sort.value = ""; soon = setTimeout(change); });
  form.elements.text.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.target.value = ""; change(); } });

  for (const head of all("th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.textContent = head.textContent;
    button.addEventListener("click", () => {
      const by = head.dataset.sort;
      const now = form.elements.sort.value;
      form.elements.sort.value = now === by ? `-${by}` : now === `-${by}` ? "" : by;
      change();
    });
    head.replaceChildren(button);
  }

  // Arrow keys go from finding to finding
  document.addEventListener("keydown", (event) => {
    if (!event.target.matches?.(".item > summary")) return;
    const heads = all(".list .item > summary");
    const at = heads.indexOf(event.target);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: heads.length - 1 }[event.key];
    if (heads[to]) { event.preventDefault(); heads[to].focus(); }
  });

  // The address: a finding, a state of the filters, or a section
  const go = () => {
    const hash = location.hash.slice(1);
    if (hash.startsWith("f-")) {
      if (!byId(hash)) {
        form.reset();
        form.elements.text.value = hash.slice(2);
        clearTimeout(soon);
        apply();
      }
      clearTimeout(soon);
      const target = byId(hash);
      if (target) { target.open = true; target.scrollIntoView(); target.querySelector("summary").focus({ preventScroll: true }); }
    } else if (hash.includes("=")) {
      const wanted = new URLSearchParams(hash);
      for (const name of CONTROLS) form.elements[name].value = wanted.get(name) ?? "";
      apply();
      form.scrollIntoView();
    }
  };
  addEventListener("hashchange", go);
  go();

  let closed = [];
  addEventListener("beforeprint", () => {
    for (const list of Object.values(lists)) if (list.at < PRINTED) list.extend(PRINTED - list.at);
    closed = all("details:not([open])");
    for (const each of closed) each.open = true;
  });
  addEventListener("afterprint", () => { for (const each of closed) each.open = false; });
})();
