// All that the tables know of one customer, item, interest or segment.
async function suggest() {
  const kind = document.getElementById("kind").value, known = new Set();
  for (const name of tables) {
    const table = await open(name);
    for (const key of KINDS[kind]) for (const value of table.values[key] || []) if (value !== null) known.add(String(value));
  }
  const typed = document.getElementById("wanted").value.toLowerCase(), list = document.getElementById("names");
  list.replaceChildren();
  let left = SHOWN;
  for (const value of known) if (value.toLowerCase().includes(typed) && left-- > 0) element("option", "", list).value = value;
}

async function look() {
  const kind = document.getElementById("kind").value, wanted = document.getElementById("wanted").value.trim().toLowerCase(), found = document.getElementById("found");
  const parts = [];
  for (const name of wanted ? tables : []) {
    const table = await open(name), keys = KINDS[kind].filter(key => key in table.values), at = [];
    for (let i = 0; i < table.rows; i++) if (keys.some(key => String(table.values[key][i]).toLowerCase() === wanted)) at.push(i);
    const but = keys.filter(key => at.every(i => String(table.values[key][i]).toLowerCase() === wanted));
    if (at.length) parts.push({name, table, at, but});
  }
  found.replaceChildren();
  if (wanted && !parts.length) element("p", `Nothing is known of ${document.getElementById("wanted").value.trim()}.`, found);
  for (const {name, table, at, but} of parts) drawRows(name, `${name}_${wanted}`, table, at, found, {but});
}

function lookUp(kind, wanted) {  // what a link asks for
  document.getElementById("kind").value = kind;
  document.getElementById("wanted").value = wanted;
  look();
}

const asked = () => location.hash = `look/${document.getElementById("kind").value}/${encodeURIComponent(document.getElementById("wanted").value.trim())}`;
document.getElementById("kind").addEventListener("change", () => { suggest(); asked(); });
document.getElementById("wanted").addEventListener("input", suggest);
document.getElementById("wanted").addEventListener("focus", suggest);
document.getElementById("wanted").addEventListener("change", asked);
