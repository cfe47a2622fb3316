// One part of the page at a time, the one that its address names; on paper, all of them.
const views = [...document.querySelectorAll(".view")];
let compares = false;

async function view() {
  const [name, ...of] = location.hash.slice(1).split("/").map(decodeURIComponent), target = document.getElementById(name);
  const current = views.find(one => target && (one === target || one.contains(target))) || (name === "content" ? null : views[0]);
  if (!current) return;  // the page skips to its content
  for (const one of views) one.hidden = one !== current;
  for (const link of document.querySelectorAll("#views a")) {
    if (link.hash === `#${current.id}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (name === "look" && of.length === 2) lookUp(...of);
  if (name === "tables") {
    if (tables.includes(of[0])) document.getElementById("table").value = of[0];
    if (tables.length) showTable(of.length === 3 ? {[of[1]]: of[2]} : {});
  }
  if (name === "compare" && !compares) { compares = true; compare(); }
}

addEventListener("hashchange", () => { view(); scrollTo(0, 0); });
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(fold => { fold.open = true; }));
view();
