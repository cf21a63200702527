// Tables that sort by a column, and the examples of confused classes.

// Return the key by which a cell is sorted: its number, or else its text.
function sortKey(row, column) {
  const text = row.cells[column].textContent.trim(), number = parseFloat(text.replaceAll(",", ""));
  return Number.isNaN(number) || /^[^\d-]/.test(text) ? text.toLowerCase() : number;
}

function compareKeys(a, b) {
  if (typeof a === typeof b) return a < b ? -1 : Number(a > b);
  return typeof a === "number" ? -1 : 1; // numbers before texts
}

// Sort a table by a column, upwards first.
function sortTable(table, column) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  const direction = heads[column].ariaSort === "ascending" ? "descending" : "ascending";
  for (const head of heads) head.removeAttribute("aria-sort");
  heads[column].setAttribute("aria-sort", direction);
  const sign = direction === "ascending" ? 1 : -1;
  const rows = [...body.rows].map((row) => [sortKey(row, column), row]);
  body.append(...rows.sort((a, b) => sign * compareKeys(a[0], b[0])).map(([, row]) => row));
}

function makeSortable(table) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (head.classList.contains("plain")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortTable(table, column));
    head.append(button);
  });
}

// Put buttons that show the examples of confused classes which the gallery has.
function linkExamples(page) {
  for (const cell of document.querySelectorAll(".examples")) {
    const pair = [Number(cell.dataset.label), Number(cell.dataset.predicted)];
    const count = page.images.filter((image) =>
      image.label === pair[0] && image.explained[0].ranked[0] === pair[1]).length;
    if (!count) continue;
    const button = element("button", `show ${count}`, { type: "button" });
    button.addEventListener("click", () => {
      choose(page, { ...ALL, pair, shown: "both" });
      byId("gallery").scrollIntoView();
    });
    cell.prepend(button, " ");
  }
}
