// Starts the page.

const ALL = { kind: "", agreement: "", label: null, pair: null, from: 0, to: 100, order: "" };

function start() {
  for (const table of document.querySelectorAll(".sortable")) makeSortable(table);
  const data = byId("gallery-data");
  if (!data) return;
  const page = { ...JSON.parse(data.textContent), shown: [], enlarged: null, wanted: null };
  page.kinds = Object.fromEntries([...byId("kind").options].map((option) => [option.value, option.textContent]));
  // Verdicts of all sources are there if these are runs, which are compared.
  page.compared = page.sources.length > 1 &&
    page.images.every((image) => image.explained.every((explained) => explained.kind !== null));
  page.boxed = page.images.some((image) => image.boxes.length);
  page.state = {
    ...ALL, at: 0, cut: null, layer: "heat", opacity: 0.55,
    shown: page.boxed ? "true" : "both", table: colourTable(page.colours[0][1]),
  };
  fillMenus(page);
  listen(page);
  listenToDialog(page);
  linkExamples(page);
  byId("gallery-note").textContent = note(page);
  show(page);
}

// Return what a reader should know about the images.
function note(page) {
  const parts = [page.compared
    ? `A fixed random choice: first images on which the runs disagree, in turn by who is right. Sorting and scores are those of ${page.sources[0].name}.`
    : "A fixed random choice of right and wrong images, with examples of confused classes."];
  if (page.boxed) {
    parts.push("Solid green: true boxes. Dashed red: the box of the map. Filters use the verdicts at the run's threshold.");
    if (page.sources.some((source) => !source.exact)) {
      const names = page.sources.filter((source) => !source.exact).map((source) => source.name).join(", ");
      const rule = page.compared ? `the rule of ${names}` : "this run's rule";
      parts.push(`At other thresholds, the page shows the box of the largest region, not the box of ${rule}.`);
    }
  } else {
    parts.push("These images have no boxes; they are judged by their class.");
  }
  return parts.join(" ");
}

start();
