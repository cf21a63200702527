// The gallery's controls, and the page of images that they choose.

const PER_PAGE = 12;

function byId(id) {
  return document.getElementById(id);
}

// Decode an image's picture, once.
function load(image) {
  if (!image.drawn) {
    image.drawn = new Image();
    image.drawn.src = `data:image/jpeg;base64,${image.picture}`;
  }
  return image.drawn.decode();
}

// Change the state, and show what it chooses.
function choose(page, change) {
  const moves = ["kind", "agreement", "label", "pair", "from", "to", "order"].some((key) => key in change);
  Object.assign(page.state, moves ? { at: 0 } : {}, change);
  if (moves || "at" in change) heats.clear();
  page.wanted ??= requestAnimationFrame(() => {
    page.wanted = null;
    show(page);
  });
}

// Draw the current page of images, and set the controls.
async function show(page) {
  const { state } = page;
  page.shown = chosen(page);
  const pages = Math.max(1, Math.ceil(page.shown.length / PER_PAGE));
  const images = page.shown.slice(state.at * PER_PAGE, (state.at + 1) * PER_PAGE);
  await Promise.all(images.map(load));
  const focused = document.activeElement?.dataset?.id;
  byId("cards").replaceChildren(...images.map((image) => card(page, image)));
  [...byId("cards").children].find((made) => made.dataset.id === focused)?.focus();
  const pair = state.pair?.map((label) => page.classes[label]).join(" predicted as ");
  byId("count").textContent = `${page.shown.length} of ${page.images.length} images${pair ? `: ${pair}` : ""}`;
  byId("page-text").textContent = `page ${state.at + 1} of ${pages}`;
  byId("pages").hidden = pages === 1;
  byId("previous").disabled = state.at === 0;
  byId("next").disabled = state.at === pages - 1;
  const cut = cutOf(page, 0);
  byId("cut").value = Math.round(100 * (cut ?? 0));
  byId("cut-text").textContent = cut === null ? "none" : `${Math.round(1000 * cut) / 10}%`;
  byId("own-cut").disabled = state.cut === null;
  byId("shown").value = state.shown;
  for (const [id, key] of [["kind", "kind"], ["agreement", "agreement"], ["class", "label"], ["order", "order"], ["score-from", "from"], ["score-to", "to"]]) {
    byId(id).value = state[key] ?? "";
  }
  if (page.enlarged !== null) enlarge(page, page.enlarged);
}

// Fill the menus with what the page's images have.
function fillMenus(page) {
  const ranks = Math.max(...page.images.map((image) => image.explained[0].ranked.length));
  const menu = [["true", "the true class"], ["predicted", "the predicted class"], ["both", "both"]];
  for (let rank = 2; rank <= ranks; rank++) menu.push([rank, `class ${rank} of the prediction`]);
  byId("shown").append(...menu.map(([value, words]) => element("option", words, { value })));
  byId("colours").append(...page.colours.map(([name]) => element("option", name, { value: name })));
  const labels = [...new Set(page.images.map((image) => image.label))].sort((a, b) => a - b);
  byId("class").append(...labels.map((label) => element("option", page.classes[label], { value: label })));
  fillAgreement(page);
  byId("cards").classList.toggle("wide", page.sources.length > 1);
  for (const option of [...byId("kind").options].slice(1)) {
    const count = page.images.filter((image) => hasKind(image, option.value)).length;
    option.textContent = `${option.textContent} (${count})`;
    option.hidden = option.disabled = !count;
  }
}

// Fill the menu of images on which the runs agree or disagree, and show it if there are runs.
function fillAgreement(page) {
  byId("agreement").parentElement.hidden = !page.compared;
  if (!page.compared) return;
  const menu = [["differ", "the runs disagree"], ...page.sources.map(({ name }, index) => [index, `only ${name} is right`]),
    ["right", "all are right"], ["wrong", "all are wrong"]];
  for (const [value, words] of menu) {
    const count = page.images.filter((image) => agreementOf(image, value)).length;
    byId("agreement").append(element("option", `${words} (${count})`, { value, ...(count ? {} : { disabled: "" }) }));
  }
}

function listen(page) {
  const on = (id, event, change) => byId(id).addEventListener(event, ({ target }) => choose(page, change(target.value)));
  on("cut", "input", (value) => ({ cut: value / 100 }));
  on("own-cut", "click", () => ({ cut: null }));
  on("shown", "change", (shown) => ({ shown }));
  on("layer", "change", (layer) => ({ layer }));
  on("opacity", "input", (value) => ({ opacity: value / 100 }));
  on("colours", "change", (name) => ({ table: colourTable(new Map(page.colours).get(name)) }));
  on("kind", "change", (kind) => ({ kind }));
  on("agreement", "change", (agreement) => ({ agreement }));
  on("class", "change", (value) => ({ label: value === "" ? null : Number(value) }));
  on("score-from", "change", (value) => ({ from: Number(value) }));
  on("score-to", "change", (value) => ({ to: Number(value || 100) }));
  on("order", "change", (order) => ({ order }));
  on("clear", "click", () => ({ ...ALL }));
  on("previous", "click", () => ({ at: page.state.at - 1 }));
  on("next", "click", () => ({ at: page.state.at + 1 }));
  const cards = byId("cards"), position = (target) =>
    page.shown.findIndex((image) => image.id === target.closest(".card")?.dataset.id);
  cards.addEventListener("click", ({ target }) => position(target) >= 0 && enlarge(page, position(target)));
  cards.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault(); // else the key would press the button that the dialog focuses
      enlarge(page, position(event.target));
    }
    const sibling = { ArrowLeft: "previousElementSibling", ArrowRight: "nextElementSibling" }[event.key];
    event.target.closest(".card")?.[sibling]?.focus();
  });
  for (const form of [byId("controls"), byId("filters")]) {
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
  }
}
