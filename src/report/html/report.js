"use strict";
// Adds filters, sorting and details to the lists of the page. The rows of long lists are read as text, and become
// elements when they are shown. All text that the script adds is text of the page, set with textContent. Only rows that
// the page itself would show without JavaScript are parsed as HTML.
(() => {
  const MOST_SHOWN = 5000;
  const CHUNK = 100;
  const DANGER = { remove: "0", change: "1", add: "2" };
  const main = document.querySelector("main");
  const lists = [...document.querySelectorAll("table.list")].map(read);
  if (lists.length === 0) return;

  function element(name, properties = {}, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  // Reading the lists

  function read(table) {
    const heads = [...table.tHead.rows[0].cells];
    const columns = heads.map((head) => head.dataset.column);
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]).map((tr) => ({ tr }));
    const rest = table.nextElementSibling;
    if (rest && rest.localName === "noscript") {
      for (const html of rest.textContent.split("\n")) {
        if (html.startsWith("<tr")) rows.push({ html });
      }
      rest.remove();
    }
    rows.forEach((row, n) => { row.n = n; });
    const block = table.closest("section");
    return {
      table, heads, columns, rows, block,
      at: Object.fromEntries(columns.map((name, n) => [name, n])),
      severity: table.dataset.severity,
      file: (table.dataset.file || "").toLowerCase(),
      count: block.querySelector("h2 .count"),
      hasDetails: columns.includes("action"),
      sort: null,
      isChanged: false,
      matches: rows,
      shown: MOST_SHOWN,
    };
  }

  const ENTITIES = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&amp;": "&" };

  function plain(html) {
    const isName = html.startsWith("<code>") && html.indexOf("<", 6) === html.length - 7;
    const text = isName ? html.slice(6, -7) : html.includes("<") ? html.replace(/<[^>]*>/g, "") : html;
    return text.includes("&") ? text.replace(/&(?:lt|gt|quot|amp);/g, (entity) => ENTITIES[entity]) : text;
  }

  function cells(row) {
    if (!row.cells) {
      row.cells = row.tr
        ? Array.from(row.tr.cells, (cell) => cell.textContent)
        : row.html.slice(row.html.indexOf("<td>") + 4, row.html.lastIndexOf("</td>")).split("</td><td>").map(plain);
    }
    return row.cells;
  }

  function textOf(row) {
    if (row.text === undefined) row.text = cells(row).join("\n").toLowerCase();
    return row.text;
  }

  function cell(list, row, column) {
    const n = list.at[column];
    return n === undefined ? undefined : cells(row)[n];
  }

  // What decided: each rule is a value of its own, and all entries are one.
  function decider(list, row) {
    const line = cell(list, row, "line");
    if (!line || list.at.name === undefined) return undefined;
    return line.endsWith(" (rule)") ? "rule " + line.slice(0, -7) : "entry";
  }

  const FACETS = [
    ["severity", "severity", (list) => list.severity],
    ["account", "account", (list, row) => cell(list, row, "account")],
    ["action", "action", (list, row) => cell(list, row, "action") || undefined],
    ["kind", "kind", (list, row) => cell(list, row, "kind") || undefined],
    ["by", "decided by", decider],
  ];

  // The controls

  const input = element("input", { type: "search", autocomplete: "off", spellcheck: false });
  const status = element("p", { role: "status" });
  const clear = element("button", { type: "button", textContent: "Clear" });
  const selects = new Map();
  const controls = document.getElementById("filters");
  controls.className = "filters";
  controls.setAttribute("role", "search");
  controls.append(element("label", { className: "text" }, "Filter by name, boundary, file or text (press /)", input));
  for (const [key, label] of FACETS) {
    const select = element("select", {}, element("option", { value: "", textContent: "all" }));
    const labeled = element("label", { hidden: true }, label, select);
    selects.set(key, select);
    select.addEventListener("change", () => changed());
    controls.append(labeled);
  }
  controls.append(clear, status);
  controls.hidden = false;

  // Long lists are read in parts, so that the page responds meanwhile.
  const counts = new Map(FACETS.map(([key]) => [key, new Map()]));
  const unread = lists.flatMap((list) => list.rows.map((row) => [list, row]));
  let position = 0;

  function readNext(most) {
    const end = Math.min(unread.length, position + most);
    for (; position < end; position += 1) {
      const [list, row] = unread[position];
      for (const [key, , value] of FACETS) {
        const found = value(list, row);
        if (found !== undefined) counts.get(key).set(found, (counts.get(key).get(found) || 0) + 1);
      }
    }
    if (position === unread.length && unread.length > 0) {
      unread.length = position = 0;
      performance.mark("rows read");
      offer();
    }
  }

  function readLater() {
    if (unread.length === 0) return;
    readNext(10000);
    setTimeout(readLater, 0);
  }

  const grouped = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

  function offer() {
    for (const [key] of FACETS) {
      const select = selects.get(key);
      const found = [...counts.get(key)].sort(([a], [b]) => (a < b ? -1 : 1));
      for (const [value, count] of found) {
        const name = value.startsWith("rule ") ? "rule, line " + value.slice(5) : value;
        select.append(element("option", { value, textContent: name + " (" + grouped(count) + ")" }));
      }
      select.parentElement.hidden = found.length < 2;
    }
    restore();
  }

  // Filtering

  const names = new Map();
  for (const table of document.querySelectorAll("table.names")) {
    const account = table.closest(".scroll").previousElementSibling;
    const of = account && account.localName === "h3" ? account.textContent : "";
    for (const { cells: [name, arn] } of table.tBodies[0].rows) {
      names.set(of + "\n" + name.textContent, arn.textContent);
    }
  }

  // The test of a word: text of the row, the file of the list, or the ARN of a short name.
  function tester(word) {
    const short = new Set();
    for (const [key, arn] of names) {
      if (arn.toLowerCase().includes(word)) short.add(key.slice(key.indexOf("\n") + 1));
    }
    return (list, row) =>
      textOf(row).includes(word)
      || list.file.includes(word)
      || (short.size > 0 && (short.has(cell(list, row, "from")) || short.has(cell(list, row, "to"))));
  }

  function filter() {
    readNext(Infinity);
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean).map(tester);
    const wanted = FACETS.filter(([key]) => selects.get(key).value !== "")
      .map(([key, , value]) => [value, selects.get(key).value]);
    const isFiltered = words.length + wanted.length > 0;
    let [found, all] = [0, 0];
    for (const list of lists) {
      const matches = (row) =>
        wanted.every(([value, of]) => value(list, row) === of) && words.every((test) => test(list, row));
      list.matches = isFiltered ? list.rows.filter(matches) : list.rows;
      list.shown = MOST_SHOWN;
      found += list.matches.length;
      all += list.rows.length;
      list.block.hidden = isFiltered && list.matches.length === 0;
      list.count.textContent = isFiltered
        ? grouped(list.matches.length) + " of " + grouped(list.rows.length)
        : grouped(list.rows.length);
      arrange(list);
    }
    clear.hidden = !isFiltered;
    status.textContent = isFiltered
      ? grouped(found) + " of " + grouped(all) + " rows match"
      : grouped(all) + (all === 1 ? " row" : " rows");
  }

  // Sorting and showing

  function sortKey(list, name) {
    if (name === "action") return (row) => DANGER[cell(list, row, name)] || "3";
    if (name !== "line") return (row) => cell(list, row, name).toLowerCase();
    return (row) => cell(list, row, name).replace(/\d+/g, (digits) => digits.padStart(9, "0"));
  }

  function arrange(list) {
    let rows = list.matches;
    if (list.sort) {
      const key = sortKey(list, list.sort.column);
      const sign = list.sort.isDescending ? -1 : 1;
      const keyed = rows.map((row) => [key(row), row]);
      keyed.sort(([a, m], [b, n]) => (a < b ? -sign : a > b ? sign : m.n - n.n));
      rows = keyed.map(([, row]) => row);
    }
    for (const head of list.heads) {
      const isSorted = list.sort && list.sort.column === head.dataset.column;
      if (isSorted) head.setAttribute("aria-sort", list.sort.isDescending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    show(list, rows);
  }

  function show(list, rows) {
    const shown = rows.slice(0, list.shown);
    parse(shown.filter((row) => !row.tr));
    if (list.hasDetails) {
      for (const row of shown) if (!row.hasButton) addButton(list, row);
    }
    // The first rows are in the page from the start.
    if (list.isChanged || rows !== list.rows) {
      // The head stays where it is, because one of its buttons can have the focus.
      for (const body of [...list.table.tBodies]) body.remove();
      list.table.append(...bodies(shown));
      list.isChanged = true;
    }
    if (list.rest) list.rest.remove();
    const left = rows.length - shown.length;
    list.rest = null;
    if (left > 0) {
      const more = element("button", { type: "button" }, "Show " + grouped(Math.min(left, MOST_SHOWN)) + " more");
      more.addEventListener("click", () => {
        list.shown += MOST_SHOWN;
        list.isChanged = true;
        show(list, rows);
        const next = rows[shown.length].tr.querySelector("button");
        if (next) next.focus();
      });
      list.rest = element("p", { className: "rest" }, grouped(left) + " more rows match. ", more);
      list.table.after(list.rest);
    }
  }

  function bodies(rows) {
    const made = [];
    for (let n = 0; n < rows.length; n += CHUNK) {
      const body = element("tbody");
      const chunk = rows.slice(n, n + CHUNK);
      if (chunk.length === CHUNK) body.className = "full";
      for (const row of chunk) body.append(row.tr, ...(row.details ? [row.details] : []));
      made.push(body);
    }
    return made;
  }

  function parse(rows) {
    if (rows.length === 0) return;
    const template = document.createElement("template");
    template.innerHTML = "<table><tbody>" + rows.map((row) => row.html).join("") + "</tbody></table>";
    [...template.content.querySelector("tbody").rows].forEach((tr, n) => {
      rows[n].tr = tr;
      rows[n].html = "";
    });
  }

  // Details

  const buttons = new WeakMap();

  function addButton(list, row) {
    row.hasButton = true;
    const button = element("button", { type: "button", className: "details" });
    button.setAttribute("aria-expanded", "false");
    button.setAttribute("aria-label", "Details of " + cell(list, row, "kind") + " " + cell(list, row, "name"));
    row.tr.cells[list.at.action].prepend(button);
    buttons.set(button, [list, row]);
  }

  function described(list, row, column) {
    const name = cell(list, row, column);
    if (name === "none") return ["no boundary"];
    const arn = names.get((cell(list, row, "account") || "") + "\n" + name);
    const shown = [element("code", { textContent: name })];
    if (arn) shown.push(" (", element("code", { textContent: arn }), ")");
    return shown;
  }

  const MEANINGS = {
    add: "adds a boundary",
    change: "replaces the boundary",
    remove: "removes the boundary: its policies alone decide what it can do",
  };

  function details(list, row) {
    const [kind, name, line, note] = ["kind", "name", "line", "note"].map((it) => cell(list, row, it) || "");
    const file = list.table.dataset.file;
    const position = line.replace(" (rule)", "");
    const at = file ? file + ":" + position : position;
    const account = cell(list, row, "account");
    const items = [
      [kind, [element("code", { textContent: name })]],
      ["account", account && [element("code", { textContent: account })]],
      ["the change", [MEANINGS[cell(list, row, "action")] || cell(list, row, "action")]],
      ["boundary before", described(list, row, "from")],
      ["boundary after", described(list, row, "to")],
      ["decided by", line && [element("code", { textContent: at }), line.endsWith(" (rule)") ? " (rule)" : ""]],
      ["note", note && [note]],
    ];
    const terms = items.filter(([, shown]) => shown)
      .flatMap(([term, shown]) => [element("dt", { textContent: term }), element("dd", {}, ...shown)]);
    const cellOfAll = element("td", { colSpan: list.columns.length }, element("dl", {}, ...terms));
    return element("tr", { className: "more" }, cellOfAll);
  }

  main.addEventListener("click", (event) => {
    const button = event.target.closest("button.details");
    if (!button) return;
    const [list, row] = buttons.get(button);
    if (row.details) {
      row.details.remove();
      row.details = null;
    } else {
      row.details = details(list, row);
      row.tr.after(row.details);
    }
    button.setAttribute("aria-expanded", String(row.details !== null));
  });

  // The state is in the fragment of the address, so that a filtered page can be linked.

  function changed() {
    filter();
    const state = new URLSearchParams();
    if (input.value) state.set("q", input.value);
    for (const [key, select] of selects) if (select.value) state.set(key, select.value);
    lists.forEach((list, n) => {
      if (list.sort) state.set("sort" + (n + 1), (list.sort.isDescending ? "-" : "") + list.sort.column);
    });
    history.replaceState(null, "", "#" + state);
  }

  function restore() {
    if (location.hash.includes("=")) {
      const state = new URLSearchParams(location.hash.slice(1));
      input.value = state.get("q") || "";
      for (const [key, select] of selects) {
        select.value = state.get(key) || "";
        if (select.selectedIndex < 0) select.value = "";
      }
      lists.forEach((list, n) => {
        const sort = state.get("sort" + (n + 1)) || "";
        const column = sort.replace("-", "");
        list.sort = list.columns.includes(column) ? { column, isDescending: sort.startsWith("-") } : null;
      });
    }
    filter();
  }

  for (const list of lists) {
    for (const head of list.heads) {
      const button = element("button", { type: "button" }, ...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const { column } = head.dataset;
        if (!list.sort || list.sort.column !== column) list.sort = { column, isDescending: false };
        else if (!list.sort.isDescending) list.sort.isDescending = true;
        else list.sort = null;
        changed();
      });
    }
  }

  let isWaiting = false;
  input.addEventListener("input", () => {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      changed();
    });
  });
  function reset() {
    input.value = "";
    for (const select of selects.values()) select.value = "";
    changed();
  }

  clear.addEventListener("click", () => {
    reset();
    input.focus();
  });
  // A link to a section that the filters hide.
  for (const link of document.querySelectorAll("nav a")) {
    link.addEventListener("click", () => {
      if (document.querySelector(link.hash).hidden) reset();
    });
  }
  window.addEventListener("hashchange", () => {
    if (location.hash.includes("=")) restore();
  });
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, select, textarea");
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      input.focus();
      input.select();
    } else if (event.key === "Escape" && event.target === input && input.value) {
      event.preventDefault();
      input.value = "";
      changed();
    }
  });

  readLater();
})();
