const KEYS = {customer: ["user"], item: ["item", "title"], interest: ["interest", "target", "segment", "name"]};
const SHOWN = 50, opened = new Map();

async function open(name) {
  if (!opened.has(name)) {
    const bytes = Uint8Array.from(atob(document.getElementById(`packed_${name}`).content.textContent), c => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const {names, rows, columns} = JSON.parse(await new Response(stream).text());
    const values = columns.map(({values, words, at}) => values || at.map(i => i === null ? null : words[i]));
    opened.set(name, {names, rows, values: Object.fromEntries(names.map((column, i) => [column, values[i]]))});
  }
  return opened.get(name);
}

function download(file, names, rows) {
  const cell = value => {
    let text = value === null || value === undefined ? "" : String(value);
    if (typeof value === "string" && formula.test(text) && !number.test(text)) text = `'${text}`;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([[names, ...rows].map(row => row.map(cell).join(",")).join("\n") + "\n"], {type: "text/csv"}));
  link.download = `${file}.csv`;
  link.click();
  URL.revokeObjectURL(link.href);
}

const rowOf = (table, i) => table.names.map(name => table.values[name][i]);
const shown = value => typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(3)).toLocaleString("en") : value ?? "";

function element(tag, text, parent) {
  const made = document.createElement(tag);
  made.textContent = text;
  parent?.append(made);
  return made;
}

async function suggest() {
  const kind = document.getElementById("kind").value, known = new Set();
  for (const name of tables) {
    const table = await open(name);
    for (const key of KEYS[kind]) for (const value of table.values[key] || []) if (value !== null) known.add(String(value));
  }
  const typed = document.getElementById("wanted").value.toLowerCase(), list = document.getElementById("names");
  list.replaceChildren();
  let left = SHOWN;
  for (const value of known) if (value.toLowerCase().includes(typed) && left-- > 0) element("option", "", list).value = value;
}

async function look() {
  const kind = document.getElementById("kind").value, wanted = document.getElementById("wanted").value.trim(), found = document.getElementById("found");
  const parts = [];
  for (const name of wanted ? tables : []) {
    const table = await open(name), keys = KEYS[kind].filter(key => key in table.values), at = [];
    for (let i = 0; i < table.rows; i++) if (keys.some(key => String(table.values[key][i]) === wanted)) at.push(i);
    if (at.length) parts.push({name, table, at});
  }
  found.replaceChildren();
  if (wanted && !parts.length) element("p", `Nothing is known of ${wanted}.`, found);
  for (const {name, table, at} of parts) {
    const rest = at.length > SHOWN ? `, the first ${SHOWN} shown` : "";
    const head = element("h3", `${name.replaceAll("_", " ")}: ${at.length.toLocaleString("en")} row${at.length > 1 ? "s" : ""}${rest} `, found);
    const button = element("button", "Download these", head);
    button.type = "button";
    button.addEventListener("click", () => download(`${name}_${wanted}`, table.names, at.map(i => rowOf(table, i))));
    const wide = element("div", "", found);
    Object.assign(wide, {className: "wide", tabIndex: 0});
    wide.setAttribute("role", "region");
    wide.setAttribute("aria-label", name);
    const drawn = element("table", "", wide), first = element("tr", "", element("thead", "", drawn)), body = element("tbody", "", drawn);
    drawn.className = "text";
    for (const column of table.names) element("th", column.replaceAll("_", " "), first).scope = "col";
    for (const i of at.slice(0, SHOWN)) {
      const row = element("tr", "", body);
      for (const value of rowOf(table, i)) element("td", shown(value), row).className = typeof value === "number" ? "number" : "";
    }
  }
}

document.getElementById("kind").addEventListener("change", () => { suggest(); look(); });
document.getElementById("wanted").addEventListener("input", suggest);
document.getElementById("wanted").addEventListener("focus", suggest);
document.getElementById("wanted").addEventListener("change", look);
for (const select of document.querySelectorAll("select[data-table]")) select.addEventListener("change", () => {
  for (const row of document.querySelectorAll(`#${select.dataset.table} tbody tr`)) row.hidden = row.dataset.group !== select.value;
});
for (const button of document.querySelectorAll("button[data-file]")) button.addEventListener("click", async () => {
  const table = await open(button.dataset.file);
  download(button.dataset.file, table.names, Array.from({length: table.rows}, (_, i) => rowOf(table, i)));
});
