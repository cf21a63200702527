// Class maps: from 8 bits to numbers, and bilinear resizing as in gapnet.ops.maps.

// Return the bytes of a text in base64.
function decode(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

// Return one map of an explanation as numbers, row after row.
function mapOf(explained, index) {
  explained.levels ??= decode(explained.maps);
  const [height, width] = explained.grid;
  const low = explained.low[index], step = (explained.high[index] - low) / 255;
  const levels = explained.levels.subarray(index * height * width, (index + 1) * height * width);
  return Float32Array.from(levels, (level) => low + level * step);
}

// Return, for every pixel of a side, the cells before and after it, and the share of the second.
function neighbours(cells, pixels) {
  const scale = Math.fround(cells / pixels);
  return Array.from({ length: pixels }, (_, pixel) => {
    const at = Math.max(0, Math.fround(Math.fround(scale * (pixel + 0.5)) - 0.5));
    const before = Math.min(Math.floor(at), cells - 1);
    return [before, Math.min(before + 1, cells - 1), at - before];
  });
}

// Resize a map of [height, width] cells, bilinear between the cells' centres.
function resize(map, [height, width], [rows, columns]) {
  const across = new Float32Array(height * columns);
  neighbours(width, columns).forEach(([left, right, share], x) => {
    for (let y = 0; y < height; y++) {
      across[y * columns + x] = (1 - share) * map[y * width + left] + share * map[y * width + right];
    }
  });
  const resized = new Float32Array(rows * columns);
  neighbours(height, rows).forEach(([above, below, share], y) => {
    for (let x = 0; x < columns; x++) {
      resized[y * columns + x] =
        (1 - share) * across[above * columns + x] + share * across[below * columns + x];
    }
  });
  return resized;
}

// Divide a map by its maximum, with 0 for negative values; a map without positive values is 0.
function normalise(map) {
  const highest = map.reduce((most, value) => Math.max(most, value), 0);
  return highest > 0 ? map.map((value) => Math.max(0, value) / highest) : map.fill(0);
}
