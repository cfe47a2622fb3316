// Tables as the page draws them: names in them lead to what is known of them.
const KINDS = {customer: ["user"], item: ["item", "title", "name"], interest: ["interest", "target", "segment", "name"]};
const SHOWN = 50;
const kindOf = column => column === "name" ? undefined : Object.keys(KINDS).find(kind => KINDS[kind].includes(column));
const words = column => column.replaceAll("_", " ");
const SAID = new Map([[true, "yes"], [false, "no"], [null, ""], [undefined, ""]]);
const written = value => value.toLocaleString(document.documentElement.lang);
const shown = value => typeof value !== "number" ? SAID.get(value) ?? value : written(Number.isInteger(value) ? value : Number(value.toPrecision(3)));

function element(tag, text, parent, attributes = {}) {
  const made = Object.assign(document.createElement(tag), attributes);
  made.textContent = text;
  parent?.append(made);
  return made;
}

function choice(label, options, parent, chosen) {  // options: [value, text]; returns the select
  const select = element("select", "", element("label", `${label} `, parent));
  for (const [value, text] of options) element("option", text, select, {value});
  if (chosen !== undefined) select.value = chosen;
  return select;
}

function cellOf(value, kind, className, line) {
  const cell = element("td", "", line, {className});
  if (kind && value !== null && value !== "") element("a", value, cell, {href: `#look/${kind}/${encodeURIComponent(value)}`});
  else cell.textContent = shown(value);
}

function drawTable(title, columns, rows, parent, order) {  // order: called with the column that is to be sorted by
  const wide = element("div", "", parent, {className: "wide", tabIndex: 0, role: "region", ariaLabel: title});
  const table = element("table", "", wide, {className: "text", ariaLabel: title});
  const head = element("tr", "", element("thead", "", table)), body = element("tbody", "", table);
  const numeric = columns.map((column, i) => !kindOf(column) && rows.some(row => typeof row[i] === "number"));
  columns.forEach((column, i) => {
    const cell = element("th", "", head, {scope: "col", className: numeric[i] ? "number" : ""});
    if (order) element("button", words(column), cell, {type: "button"}).addEventListener("click", () => order(column));
    else cell.textContent = words(column);
  });
  for (const row of rows) {
    const line = element("tr", "", body);
    row.forEach((value, i) => cellOf(value, kindOf(columns[i]), numeric[i] ? "number" : "", line));
  }
}

function drawRows(name, file, table, at, parent, {order, but = []} = {}) {  // rows `at` of a table, the first of them, and all to take along
  const rest = at.length > SHOWN ? `, the first ${SHOWN} shown` : "";
  const head = element("h3", `${words(name)}: ${written(at.length)} row${at.length === 1 ? "" : "s"}${rest} `, parent);
  const button = element("button", "Download these", head, {type: "button", ariaLabel: `Download these rows of ${words(name)}`});
  button.addEventListener("click", () => download(file, table.names, at.map(i => rowOf(table, i))));
  const first = at.slice(0, SHOWN), same = (one, other) => first.every(i => table.values[one][i] === table.values[other][i]);
  // What every row says again is left out: whom the reader looked up, and titles that are the ids.
  const columns = table.names.filter(column => !but.includes(column) && !(column === "title" && "item" in table.values && same("title", "item")));
  if (first.length && columns.length) drawTable(words(name), columns, first.map(i => columns.map(column => table.values[column][i])), parent, order);
}
