// Two periods side by side, of all customers or of those of a segment, interest by interest.
async function compare() {
  const place = document.getElementById("periods"), all = await open("change_periods");
  const bySegment = tables.includes("segment_periods") ? await open("segment_periods") : null;
  const text = ["period", "whole", "segment", "interest"], measures = all.names.filter(name => !text.includes(name));
  const periods = [...new Set(all.values.period)], part = new Set(all.values.period.filter((_, i) => !all.values.whole[i]));
  const months = periods.every(period => period.endsWith("-01")), lang = document.documentElement.lang;
  const said = period => months ? new Date(period).toLocaleDateString(lang, {month: "long", year: "numeric", timeZone: "UTC"}) : `week of ${period}`;
  const named = period => [period, part.has(period) ? `${said(period)} (in part)` : said(period)], whole = periods.filter(period => !part.has(period));
  const last = whole.length > 1 ? whole : periods;
  const measure = choice("Of", measures.map(name => [name, words(name)]), place);
  const segment = bySegment ? choice("customers", [["", "all"], ...[...new Set(bySegment.values.segment)].map(name => [name, name])], place) : null;
  const before = choice("from", periods.map(named), place, last[last.length - 2]), after = choice("to", periods.map(named), place, last[last.length - 1]);
  const show = () => {
    const table = segment?.value ? bySegment : all, sums = new Map();
    for (let i = 0; i < table.rows; i++) {
      if (segment?.value && table.values.segment[i] !== segment.value) continue;
      const at = [before.value, after.value].indexOf(table.values.period[i]);
      if (before.value === after.value || at < 0) continue;
      const interest = table.values.interest[i];
      if (!sums.has(interest)) sums.set(interest, [0, 0]);
      sums.get(interest)[at] = table.values[measure.value][i];
    }
    const rows = [...sums].map(([interest, [first, second]]) => [interest, first, second, second - first, first > 0 ? Math.round(1000 * (second / first - 1)) / 10 : null]);
    rows.sort((a, b) => (b[0] === "all") - (a[0] === "all") || Math.abs(b[3]) - Math.abs(a[3]));
    const columns = ["interest", said(before.value), said(after.value), "more or less", "change in %"], found = document.getElementById("compared");
    found.replaceChildren();
    const head = element("h3", `${words(measure.value)}, ${said(before.value)} and ${said(after.value)} `, found);
    element("button", "Download these", head, {type: "button"}).addEventListener("click", () => download(`${measure.value}_${before.value}_${after.value}`, columns, rows));
    if (rows.length) drawTable(`${words(measure.value)} by interest`, columns, rows.slice(0, SHOWN), found);
    else element("p", "Choose two different periods in which something was sold.", found);
    if (rows.length > SHOWN) element("p", `The ${SHOWN} largest changes of ${rows.length}; the download has all.`, found);
  };
  for (const select of place.querySelectorAll("select")) select.addEventListener("change", show);
  show();
}
