// Views: the map of one class by one source over an image, with its box.

const OUTER = "#000000", INNER = { predicted: "#ff5a5a", truth: "#5dff7f" };
const SHARP = 600; // pixels of a canvas, for thin lines also over small pictures
const MASK = [255, 200, 0]; // colour of the region above the threshold

const heats = new Map(); // resized maps of the images that are shown

// Return a map of an image over its window in `size` [rows, columns], from 0 to 1.
function heatOf(image, source, label, size) {
  const key = [image.id, source, label, size].join();
  if (!heats.has(key)) {
    const explained = image.explained[source];
    const map = mapOf(explained, explained.classes.indexOf(label));
    heats.set(key, normalise(resize(map, explained.grid, size)));
  }
  return heats.get(key);
}

// Return the threshold of a source: the slider's, or its own one; null if it has none.
function cutOf(page, source) {
  return page.state.cut ?? page.sources[source].cut;
}

// Return the box of a class: at the source's own threshold the recorded one, else computed here.
function boxOf(page, image, source, label) {
  const explained = image.explained[source], rules = page.sources[source], cut = cutOf(page, source);
  if (!explained.classes.includes(label)) return null;
  if (cut === rules.cut && explained.boxes[label]) return explained.boxes[label];
  const grid = gridOver(explained.window);
  const cells = largestBox(heatOf(image, source, label, grid), grid, cut, rules.connectivity === 8 ? 1 : 0);
  return toPixels(cells, explained.window, grid, image.size);
}

// Draw an image with its true boxes and, for a source, with the map and the box of a class.
function paint(canvas, page, image, source, label) {
  const [width, height] = [image.drawn.naturalWidth, image.drawn.naturalHeight];
  const sharp = Math.max(2, Math.round(SHARP / width)); // pixels of the canvas per pixel of the picture
  Object.assign(canvas, { width: width * sharp, height: height * sharp });
  const pen = canvas.getContext("2d"), scale = (width * sharp) / image.size[0];
  pen.drawImage(image.drawn, 0, 0, canvas.width, canvas.height);
  if (source !== null && page.state.layer !== "boxes") paintMap(pen, page, image, source, label, scale);
  for (const box of image.boxes) outline(pen, box, scale, INNER.truth, []);
  if (source === null || !page.boxed) return;
  const box = boxOf(page, image, source, label);
  if (box) outline(pen, box, scale, INNER.predicted, [10, 6]);
  canvas.dataset.box = box ?? "";
}

function paintMap(pen, page, image, source, label, scale) {
  const [x1, y1, x2, y2] = image.explained[source].window.map((edge) => edge * scale);
  const size = [y2 - y1, x2 - x1].map((side) => Math.max(1, Math.round(side / 2)));
  const heat = heatOf(image, source, label, size);
  const pixels = new ImageData(size[1], size[0]), { opacity, layer, table } = page.state;
  const cut = cutOf(page, source) ?? 1;
  for (let index = 0; index < heat.length; index++) {
    const at = 4 * index, value = 3 * Math.round(heat[index] * 255), above = heat[index] > cut;
    const colour = layer === "mask" ? MASK : table;
    for (let channel = 0; channel < 3; channel++) {
      pixels.data[at + channel] = colour[(layer === "mask" ? 0 : value) + channel];
    }
    pixels.data[at + 3] = layer === "mask" && !above ? 0 : 255 * opacity;
  }
  const sheet = new OffscreenCanvas(size[1], size[0]);
  sheet.getContext("2d").putImageData(pixels, 0, 0);
  pen.drawImage(sheet, x1, y1, x2 - x1, y2 - y1);
}

// Draw the edges of an inclusive box, in a colour on black, so that it is seen on any picture.
function outline(pen, [x1, y1, x2, y2], scale, colour, dashes) {
  for (const [style, width, pattern] of [[OUTER, 5, []], [colour, 3, dashes]]) {
    Object.assign(pen, { strokeStyle: style, lineWidth: width });
    pen.setLineDash(pattern);
    pen.strokeRect(x1 * scale, y1 * scale, (x2 + 1 - x1) * scale, (y2 + 1 - y1) * scale);
  }
}
