"use strict";
// The page is whole without this script. It adds: sorting, filtering, hiding, CSV, and all of that in the address.
const table = document.querySelector("table");
const controls = document.querySelector("#controls");
const filter = document.querySelector("#filter");
const shown = document.querySelector("#shown");
const boxes = [...document.querySelectorAll("[data-show]")];
const headings = [...table.tHead.rows[0].cells];
const rows = [...table.querySelectorAll("tr[data-row]")];
rows.forEach((row, place) => { row.place = place; });
const first = headings.find((th) => th.ariaSort) ?? null;
const initial = first ? { key: first.dataset.key, order: first.ariaSort } : { key: "", order: "" };
let sort = { ...initial };

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });

function compare(column, order) {
  const sign = order === "descending" ? -1 : 1;
  if (column === 0) return (a, b) => sign * collator.compare(a.dataset.model, b.dataset.model) || a.place - b.place;
  const value = (row) => parseFloat(row.cells[column].dataset.value);
  return (a, b) => {
    const [x, y] = [value(a), value(b)];
    // Rows without a value come last whatever the order: they are not the worst, they are unknown.
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y) || a.place - b.place;
    return sign * (x - y) || a.place - b.place;
  };
}

function applySort() {
  const column = headings.findIndex((th) => th.dataset.key === sort.key);
  headings.forEach((th, i) => { if (i === column) th.ariaSort = sort.order; else th.removeAttribute("aria-sort"); });
  for (const body of table.tBodies) {
    const own = rows.filter((row) => row.parentNode === body);
    own.sort(column < 0 ? (a, b) => a.place - b.place : compare(column, sort.order));
    body.append(...own);
  }
}

function applyFilter() {
  const words = plain(filter.value).split(/\s+/).filter(Boolean);
  const hidden = new Set(boxes.filter((box) => !box.checked).map((box) => box.dataset.show));
  table.classList.toggle("hide-member", hidden.has("member"));
  for (const item of document.querySelectorAll("[data-row]")) {
    const text = plain((item.cells?.[0] ?? item.querySelector(".label")).textContent);
    item.hidden = hidden.has(item.dataset.row) || !words.every((word) => text.includes(word));
  }
  for (const body of table.tBodies) body.hidden = rows.every((row) => row.parentNode !== body || row.hidden);
  const left = rows.filter((row) => !row.hidden).length;
  const number = (n) => n.toLocaleString(document.documentElement.lang);
  shown.textContent = left ? shown.dataset.text.replace("{n}", number(left)).replace("{total}", number(rows.length)) : shown.dataset.none;
}

function remember() {
  const state = new URLSearchParams();
  if (sort.key !== initial.key || sort.order !== initial.order) state.set("sort", `${sort.key}:${sort.order}`);
  if (filter.value) state.set("q", filter.value);
  const hidden = boxes.filter((box) => !box.checked).map((box) => box.dataset.show);
  if (hidden.length) state.set("hide", hidden.join(","));
  const hash = state.toString();
  history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
}

function recall() {
  const state = new URLSearchParams(location.hash.slice(1));
  const [key, order] = (state.get("sort") ?? "").split(/:(?=(?:de|a)scending$)/);
  sort = order && headings.some((th) => th.dataset.key === key) ? { key, order } : { ...initial };
  filter.value = state.get("q") ?? "";
  const hidden = (state.get("hide") ?? "").split(",");
  boxes.forEach((box) => { box.checked = !hidden.includes(box.dataset.show); });
  applySort();
  applyFilter();
}

function csv() {
  // A text that a spreadsheet would take for a formula, or for a number as the run 0123e4567890, gets an apostrophe in front.
  const quote = (v) => `"${String(v ?? "").replace(/^[=+\-@\t\r]|^\d+(?:e\d+)?$/i, "'$&").replaceAll('"', '""')}"`;
  // As spreadsheets in the page's language read it: in Brazil and Portugal a comma is the decimal sign.
  const decimal = document.documentElement.lang.startsWith("pt") ? "," : ".";
  const separator = decimal === "," ? ";" : ",";
  const number = (v) => (v ?? "").replace(".", decimal);
  const lines = [csvButton.dataset.columns.replaceAll(",", separator)];
  const ordered = [...table.querySelectorAll("tr[data-row]")].filter((row) => !row.hidden);
  for (const row of ordered) {
    const r = row.dataset;
    for (const cell of row.querySelectorAll("td[data-task]")) {
      const c = cell.dataset;
      const numbers = [c.value, c.low, c.high, c.n, c.total].map(number);
      lines.push([quote(row.parentNode.dataset.section), quote(r.model), quote(r.scoring), r.shots, r.seed, quote(r.kind),
        quote(c.task), quote(c.metric), ...numbers, quote(c.status), quote(c.run),
        quote(c.base), ...[c.gain, c.gainLow, c.gainHigh, c.gainP].map(number),
        quote(r.quantisation), quote(r.adapter), c.leaked ?? "", number(c.gainPHolm), quote(c.judges), quote(r.setup)].join(separator));
    }
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(["\ufeff", lines.join("\r\n"), "\r\n"], { type: "text/csv" }));
  link.download = csvButton.dataset.file;
  link.click();
  URL.revokeObjectURL(link.href);
}

for (const th of headings) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "sort";
  button.append(...th.childNodes);
  if (!button.querySelector(".title")) {
    const title = document.createElement("span");
    title.className = "title";
    title.append(...button.childNodes);
    button.append(title);
  }
  button.title = table.dataset.sortLabel.replace("{name}", th.dataset.name ?? button.textContent.trim());
  button.addEventListener("click", () => {
    const { key } = th.dataset;
    const turned = sort.order === "descending" ? "ascending" : "descending";
    sort = { key, order: sort.key === key ? turned : th.dataset.first }; // the best first
    applySort();
    remember();
  });
  th.append(button);
}
table.addEventListener("focusin", ({ target }) => {
  // Browsers leave a value that the keyboard reaches half behind the edge or the names; scroll-padding says what is free.
  if (target.matches("td > button:focus-visible")) target.scrollIntoView({ block: "nearest", inline: "nearest" });
});
const csvButton = document.querySelector("#csv");
csvButton.addEventListener("click", csv);
controls.addEventListener("submit", (event) => event.preventDefault());
controls.addEventListener("input", () => { applyFilter(); remember(); });
// A link to a place of the page, such as the one that skips to the table, tells nothing of the view: it stays as it is.
addEventListener("hashchange", () => { if (document.getElementById(location.hash.slice(1))) remember(); else recall(); });
document.querySelectorAll(".script").forEach((hint) => { hint.hidden = false; });
controls.hidden = false;
recall();
