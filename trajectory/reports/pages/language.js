// The page in the reader's language: each text by the catalogue of it, whose English has {} for what changes and {n}
// for a number; what it does not have is told part by part, and names stay as they are. A text that changes is never of
// two sentences.
{
  const FEW = 6;  // letters of a text that joins others
  function translator(catalogue) {
    const exact = new Map(), patterns = [], known = new Map();
    const literal = text => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    for (const [english, other] of Object.entries(catalogue)) {
      const parts = english.split(/(\{n?\})/);
      if (parts.length === 1) { exact.set(english, other); continue; }
      const source = parts.map((part, i) => i % 2 ? (part === "{n}" ? "([+-]?[\\d.,]+(?: ?%)?)" : "((?:(?![.!?] [A-Z]).)+?)") : literal(part)).join("");
      patterns.push({regex: new RegExp(`^${source}$`, "s"), start: parts[0], letters: english.replace(/\{n?\}/g, "").length, other});
    }
    patterns.sort((a, b) => b.letters - a.letters);
    const unknown = new Set(), told = texts => texts.every(text => !unknown.has(text.trim()));
    const joined = (text, split, join) => {  // where all parts are known: half a sentence helps nobody
      const parts = text.split(split);
      if (parts.length === 1) return undefined;
      const said = parts.map(say);
      return (join === "" || told(parts)) ? said.join(join) : undefined;
    };
    function found(text) {
      if (exact.has(text)) return exact.get(text);
      const listed = !text.endsWith(".") && joined(text, /(?<=\)), /, "，");
      if (listed) return listed;
      for (const {regex, start, letters, other} of patterns) {
        const match = text.startsWith(start) && regex.exec(text);
        if (!match) continue;
        const parts = match.slice(1).map(say);
        if (letters < FEW && !told(match.slice(1))) continue;  // "Fruit and vegetables" is a name
        let next = 0;
        return other.replace(/\{(\d*)\}/g, (_, at) => parts[at === "" ? next++ : Number(at)]);
      }
      return joined(text, /(?<=[.!?:]) (?=[A-Z0-9"“])/, "") ?? joined(text, "; ", "；") ?? joined(text, ": ", "：") ?? joined(text, ", ", "，");
    }
    function say(text) {
      const bare = text.trim();
      if (!/[A-Za-z]{2}/.test(bare)) return text;
      if (!known.has(bare)) {
        const other = found(bare);
        if (other === undefined) unknown.add(bare);
        known.set(bare, other ?? bare);
      }
      return text.replace(bare, () => known.get(bare));
    }
    return say;
  }

  function translate(root, say) {
    const names = node => {
      const around = node.parentElement || root;
      return around.closest("script, style, template, [translate=no], a[href^='#look/']") || (around.tagName === "OPTION" && around.value === node.data);
    };
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let node = root; node; node = texts.nextNode()) {
      if (node.nodeType === Node.TEXT_NODE) {
        if (names(node)) continue;
        const said = say(node.data);
        if (said !== node.data) node.data = said;
      } else if (node.nodeType === Node.ELEMENT_NODE) {
        for (const name of ["aria-label", "title"]) {
          const text = node.getAttribute(name), said = text && say(text);
          if (said && said !== text) node.setAttribute(name, said);
        }
      }
    }
  }

  const asked = document.documentElement.dataset.language, chosen = localStorage.getItem("language");
  const language = chosen || asked || (navigator.language.startsWith("zh") ? "zh" : "en");
  if (catalogues[language]) {
    document.documentElement.lang = language;
    const say = translator(catalogues[language]);
    document.title = say(document.title);
    translate(document.body, say);
    new MutationObserver(changes => {
      for (const {type, target, addedNodes} of changes) for (const node of type === "childList" ? addedNodes : [target]) translate(node, say);
    }).observe(document.body, {childList: true, characterData: true, subtree: true});
  }
  const choice = document.getElementById("language");
  choice.value = language;
  choice.addEventListener("change", () => {
    localStorage.setItem("language", choice.value);
    location.reload();
  });
}
