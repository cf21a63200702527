// Boxes: the largest component of a map, and overlaps; all boxes are inclusive [x1, y1, x2, y2].

const LONGEST = 1024; // cells of a side of the grid, so that large images stay quick

// Return the size [rows, columns] of the grid over a window: a cell per pixel.
function gridOver([x1, y1, x2, y2]) {
  const [rows, columns] = [y2 - y1, x2 - x1].map((side) => Math.max(1, Math.round(side)));
  const scale = Math.min(1, LONGEST / Math.max(rows, columns));
  return [rows, columns].map((side) => Math.max(1, Math.round(side * scale)));
}

// Return the box of the largest component of the cells above a cut; without any, the whole map.
// `reach` is 1 if cells touch at corners, else 0. The first component in reading order wins a tie.
function largestBox(map, [rows, columns], cut, reach) {
  const parts = []; // of components: {parent, pixels, box}; a part of itself is a whole
  const limit = Math.fround(cut);
  let above = [];
  for (let y = 0; y < rows; y++) {
    const runs = runsOf(map, y * columns, columns, limit);
    let first = 0;
    for (const run of runs) {
      run.part = parts.length;
      parts.push({ parent: run.part, pixels: run.end - run.start, box: [run.start, y, run.end - 1, y] });
      while (first < above.length && above[first].end + reach <= run.start) first++;
      for (let other = first; other < above.length && above[other].start < run.end + reach; other++) {
        join(parts, above[other].part, run.part);
      }
    }
    above = runs;
  }
  const wholes = parts.filter((part, index) => part.parent === index);
  const largest = wholes.reduce((most, part) => (most && most.pixels >= part.pixels ? most : part), null);
  return largest ? largest.box : [0, 0, columns - 1, rows - 1];
}

// Return the runs of cells above a limit in a row, from start up to, but not including, end.
function runsOf(map, offset, columns, limit) {
  const runs = [];
  for (let x = 0; x < columns; x++) {
    if (!(map[offset + x] > limit)) continue;
    const start = x;
    while (x < columns && map[offset + x] > limit) x++;
    runs.push({ start, end: x });
  }
  return runs;
}

function wholeOf(parts, index) {
  while (parts[index].parent !== index) {
    index = parts[index].parent = parts[parts[index].parent].parent;
  }
  return index;
}

// Join the components of two parts; the one that began first has all of it.
function join(parts, one, other) {
  const wholes = [wholeOf(parts, one), wholeOf(parts, other)];
  const first = Math.min(...wholes), second = Math.max(...wholes);
  if (first === second) return;
  const { pixels, box } = parts[second], whole = parts[first];
  parts[second].parent = first;
  whole.pixels += pixels;
  whole.box = [0, 1, 2, 3].map((side) => Math[side < 2 ? "min" : "max"](whole.box[side], box[side]));
}

// Convert a box from cells of a grid over a window to pixels of an image, and clip it.
function toPixels(box, window, [rows, columns], [width, height]) {
  const cell = [(window[2] - window[0]) / columns, (window[3] - window[1]) / rows];
  return box.map((value, side) => {
    const axis = side % 2, most = [width, height][axis], far = side > 1;
    const edge = window[axis] + (value + far) * cell[axis];
    return far ? Math.min(edge > 0 ? edge : 1, most) - 1 : Math.max(0, edge < most ? edge : most - 1);
  });
}

function areaOf([x1, y1, x2, y2], inclusive) {
  return Math.max(0, x2 - x1 + inclusive) * Math.max(0, y2 - y1 + inclusive);
}

function sharedArea(a, b, inclusive) {
  const near = [0, 1].map((side) => Math.max(a[side], b[side]));
  return areaOf([...near, ...[2, 3].map((side) => Math.min(a[side], b[side]))], inclusive);
}

// Return the intersection over union of two boxes; 0 if both are empty.
function overlapOf(a, b, inclusive) {
  const shared = sharedArea(a, b, inclusive);
  const union = areaOf(a, inclusive) + areaOf(b, inclusive) - shared;
  return union > 0 ? shared / union : 0;
}
