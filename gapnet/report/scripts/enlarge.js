// The enlarged image, with the ranked classes to switch between.

// Show an image of the chosen ones in the dialog, by its position.
function enlarge(page, position) {
  const images = page.shown, image = images[position];
  page.enlarged = position;
  byId("enlarged-title").textContent = image.id;
  byId("enlarged-text").textContent = `${position + 1} of ${images.length}`;
  byId("earlier").disabled = position === 0;
  byId("later").disabled = position === images.length - 1;
  load(image).then(() => {
    byId("enlarged-body").replaceChildren(views(page, image), ...facts(page, image), ...rankings(page, image));
  });
  if (!byId("enlarged").open) byId("enlarged").showModal();
}

// Return the ranking of every run, under its name; methods of one run have the same.
function rankings(page, image) {
  if (!page.compared) return [ranking(page, image, 0)];
  return page.sources.flatMap(({ name }, source) => [element("p", name), ranking(page, image, source)]);
}

// Return the most probable classes of a source as buttons that switch the map.
function ranking(page, image, source) {
  const { ranked, scores } = image.explained[source];
  const items = ranked.map((label, index) => {
    const words = `${index + 1}. ${page.classes[label]} ${percent(scores[index])}`;
    const pressed = shownClasses(page, image, source).includes(label);
    const button = element("button", words, { type: "button", "aria-pressed": pressed });
    button.addEventListener("click", () => choose(page, { shown: String(index + 1) }));
    return element("li", [button]);
  });
  return element("ol", items, { class: "ranked", "aria-label": "map of" });
}

function step(page, by) {
  const next = page.enlarged + by;
  if (next >= 0 && next < page.shown.length) enlarge(page, next);
}

function listenToDialog(page) {
  byId("close").addEventListener("click", () => byId("enlarged").close());
  byId("earlier").addEventListener("click", () => step(page, -1));
  byId("later").addEventListener("click", () => step(page, 1));
  byId("enlarged").addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) step(page, by);
  });
  byId("enlarged").addEventListener("close", () => {
    page.enlarged = null;
  });
}
