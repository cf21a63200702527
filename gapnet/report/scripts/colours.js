// Colour maps, from colours at even distances.

// Return red, green and blue of 256 values, one after the other.
function colourTable(stops) {
  const parsed = stops.map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)));
  return Uint8ClampedArray.from({ length: 3 * 256 }, (_, index) => {
    const at = (Math.floor(index / 3) / 255) * (parsed.length - 1), before = Math.floor(at);
    const after = Math.min(before + 1, parsed.length - 1), channel = index % 3;
    return parsed[before][channel] + (at - before) * (parsed[after][channel] - parsed[before][channel]);
  });
}
