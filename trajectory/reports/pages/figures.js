// Each picture can be taken along, as it is drawn on white paper.
function offer(blob, file) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);  // not before it was read
}
function svgOf(picture) {
  const drawn = picture.querySelector("svg"), {width, height} = drawn.viewBox.baseVal, copy = drawn.cloneNode(true);
  const paper = document.createElementNS(drawn.namespaceURI, "rect");
  for (const [name, value] of Object.entries({width, height, fill: "#ffffff"})) paper.setAttribute(name, value);
  for (const [name, value] of Object.entries({width, height})) copy.setAttribute(name, value);
  copy.prepend(paper);
  return {width, height, blob: new Blob([new XMLSerializer().serializeToString(copy)], {type: "image/svg+xml"})};
}
async function savePicture(picture, kind) {
  const {width, height, blob} = svgOf(picture), file = `${picture.getAttribute("aria-label").slice(0, 60)}.${kind}`;
  if (kind === "svg") return offer(blob, file);
  const image = new Image(), canvas = Object.assign(document.createElement("canvas"), {width: 2 * width, height: 2 * height});
  image.src = URL.createObjectURL(blob);
  await image.decode();
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  canvas.toBlob(png => offer(png, file));
}
for (const picture of document.querySelectorAll("[role=img]")) {
  const line = Object.assign(document.createElement("p"), {className: "save"});
  for (const kind of ["png", "svg"]) {
    const button = Object.assign(document.createElement("button"), {type: "button", textContent: kind.toUpperCase()});
    button.setAttribute("aria-label", `Save as ${kind.toUpperCase()}: ${picture.getAttribute("aria-label")}`);
    button.addEventListener("click", () => savePicture(picture, kind));
    line.append(button, " ");
  }
  picture.after(line);
}
