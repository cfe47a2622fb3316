// Any table, its rows by what its columns hold, in any order, to take along; and the tables of the parts.
const FEW = 400;  // different texts of a column that can be chosen from
let sorted = null;  // {column, down}

const choosable = (table, column) => {
  const values = [...new Set(table.values[column])];
  return values.length > 1 && values.length <= FEW && values.every(value => value === null || typeof value !== "number") ? values.sort() : null;
};

async function showTable(filters = {}) {
  const name = document.getElementById("table").value, table = await open(name), place = document.getElementById("filters");
  sorted = null;
  place.replaceChildren();
  for (const column of table.names) {
    const values = choosable(table, column);
    if (!values) continue;
    const select = choice(words(column), [["", "all"], ...values.map(value => [String(value), value === null ? "(none)" : String(value)])], place, filters[column] ?? "");
    select.dataset.column = column;
    select.addEventListener("change", () => showRows(name, table));
  }
  const search = element("input", "", element("label", "any text ", place), {id: "search", size: 16});
  search.addEventListener("input", () => showRows(name, table));
  showRows(name, table);
}

function showRows(name, table) {
  const wanted = [...document.querySelectorAll("#filters select")].filter(select => select.value).map(select => [table.values[select.dataset.column], select.value]);
  const text = document.getElementById("search").value.toLowerCase(), place = document.getElementById("rows"), at = [];
  for (let i = 0; i < table.rows; i++) {
    if (!wanted.every(([values, value]) => String(values[i]) === value)) continue;
    if (!text || rowOf(table, i).some(value => String(value ?? "").toLowerCase().includes(text))) at.push(i);
  }
  if (sorted) {
    const values = table.values[sorted.column], turn = sorted.down ? -1 : 1;
    at.sort((i, j) => (values[i] === null) - (values[j] === null) || turn * (typeof values[i] === "number" ? values[i] - values[j] : String(values[i]).localeCompare(String(values[j]))));
  }
  place.replaceChildren();
  const order = column => {
    sorted = {column, down: sorted?.column === column ? !sorted.down : typeof table.values[column].find(value => value !== null) === "number"};
    showRows(name, table);
  };
  drawRows(name, name, table, at, place, {order});
}

document.getElementById("table").addEventListener("change", () => { location.hash = `tables/${document.getElementById("table").value}`; });
for (const select of document.querySelectorAll("select[data-table]")) select.addEventListener("change", async () => {
  const table = await open(select.dataset.table), body = document.querySelector(`#${select.dataset.table} tbody`), [group, ...columns] = table.names;
  const heads = [...document.querySelectorAll(`#${select.dataset.table} th`)];
  body.replaceChildren();
  for (let i = 0; i < table.rows; i++) if (table.values[group][i] === select.value) {
    const line = element("tr", "", body);
    columns.forEach((column, k) => cellOf(table.values[column][i], heads[k].dataset.kind, heads[k].className, line));
  }
});
for (const button of document.querySelectorAll("button[data-file]")) button.addEventListener("click", async () => {
  const table = await open(button.dataset.file);
  download(button.dataset.file, table.names, Array.from({length: table.rows}, (_, i) => rowOf(table, i)));
});
