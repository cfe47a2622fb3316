// The tables of the page, unpacked when they are asked for (reports/packed.py), and as files for a spreadsheet.
const opened = new Map();

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

const rowOf = (table, i) => table.names.map(name => table.values[name][i]);

function download(file, names, rows) {
  const cell = value => {
    let text = value === null || value === undefined ? "" : String(value);
    if (typeof value === "string" && formula.test(text) && !number.test(text)) text = `'${text}`;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [names, ...rows].map(row => row.map(cell).join(","));
  offer(new Blob([lines.join("\n") + "\n"], {type: "text/csv"}), `${file}.csv`);
}
