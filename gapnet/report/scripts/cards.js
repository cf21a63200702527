// Cards: an image, its maps, and what is said about them in words.

// Return an element with text, or with children, and attributes.
function element(name, content, attributes = {}) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (Array.isArray(content)) made.append(...content);
  else made.textContent = content;
  return made;
}

function percent(share) {
  return `${(100 * share).toFixed(1)}%`;
}

// Return the verdict on an image by a source, at the threshold that is chosen.
function verdictOf(page, image, source) {
  const predicted = image.explained[source].ranked[0];
  const isRight = page.boxed && image.label === predicted;
  return kindOf(predicted, isRight ? boxOf(page, image, source, image.label) : null, image, page.rules);
}

// Return a verdict in words, with a mark that does not depend on colour.
function verdictWords(page, kind) {
  if (kind === "right") return "✓ right";
  return kind === "wrong_class" ? "✗ wrong class" : `✗ wrong box: ${page.kinds[kind]}`;
}

// Return the caption of a view: the class, its score, and the overlap of its box.
function caption(page, image, source, label) {
  const { ranked, scores } = image.explained[source], rank = ranked.indexOf(label);
  const parts = [page.classes[label] + (label === image.label ? " (true class)" : "")];
  if (page.sources.length > 1) parts.unshift(page.sources[source].name);
  if (rank >= 0) parts.push(percent(scores[rank]));
  const box = page.boxed ? boxOf(page, image, source, label) : null;
  const overlap = box && bestOverlap(box, image, page.rules);
  if (overlap !== null) parts.push(`IoU ${overlap.toFixed(2)}`);
  return parts.join(", ");
}

// Return a drawn view; source null is the image alone.
function view(page, image, source, label) {
  const original = source === null;
  const boxes = { 0: "", 1: " with the true box" }[image.boxes.length] ?? ` with ${image.boxes.length} true boxes`;
  const words = original ? `original${boxes}` : caption(page, image, source, label);
  const alt = original ? `${image.id}: ${words}, an image of ${page.classes[image.label]}` : `map of ${words} on ${image.id}`;
  const canvas = element("canvas", "", { role: "img", "aria-label": alt });
  paint(canvas, page, image, source, label);
  return element("figure", [canvas, element("figcaption", words)], { class: "view" });
}

// Return all views of an image: the original, and the maps of the chosen classes by every source.
function views(page, image) {
  const maps = page.sources.flatMap((_, source) =>
    shownClasses(page, image, source).map((label) => view(page, image, source, label)));
  return element("div", [view(page, image, null, null), ...maps], { class: "views" });
}

// Return the class that a source predicts for an image, in words.
function guessWords(page, image, source) {
  const { ranked, scores } = image.explained[source], score = percent(scores[0]);
  return ranked[0] === image.label ? `predicted with ${score}` : `predicted as ${page.classes[ranked[0]]} with ${score}`;
}

// Return the lines below the views: verdicts, classes, id. Each run has a prediction of its own.
function facts(page, image) {
  const verdicts = page.sources.map((source, index) => {
    const kind = verdictOf(page, image, index);
    const name = page.sources.length > 1 ? `${source.name}: ` : "";
    const words = name + verdictWords(page, kind) + (page.compared ? `, ${guessWords(page, image, index)}` : "");
    return element("p", words, { class: `verdict ${kind}`, "data-kind": kind });
  });
  const name = page.classes[image.label];
  const line = page.compared ? name : `${name}, ${guessWords(page, image, 0)}`;
  return [...verdicts, element("p", line), element("p", image.id, { class: "quiet" })];
}

function card(page, image) {
  const words = `enlarge ${image.id}, ${page.classes[image.label]}`;
  return element("figure", [views(page, image), element("figcaption", facts(page, image))], {
    class: "card", tabindex: "0", "aria-label": words, "data-id": image.id,
  });
}
