// Which images are shown, and in which order.

// Return whether a source's verdict on an image is of a kind.
function hasKind(image, kind) {
  return image.explained.some((explained) => explained.kind === kind);
}

// Return whether runs agree on an image as wanted: differ, right, wrong, or the number of the only run that is right.
function agreementOf(image, wanted) {
  const right = image.explained.map(({ kind }) => kind === "right"), count = right.filter(Boolean).length;
  const answers = { differ: count > 0 && count < right.length, right: count === right.length, wrong: count === 0 };
  return answers[wanted] ?? (right[wanted] && count === 1);
}

// Return the images that pass the filters, in order.
function chosen(page) {
  const { kind, agreement, label, pair, from, to, order } = page.state;
  const first = (image) => image.explained[0];
  const passing = page.images.filter((image) => {
    const { ranked, scores } = first(image), percent = Math.round(100 * scores[0]);
    return (!kind || hasKind(image, kind)) && (!agreement || agreementOf(image, agreement)) && (label === null || image.label === label) &&
      (!pair || (image.label === pair[0] && ranked[0] === pair[1])) && percent >= from && percent <= to;
  });
  if (!order) return passing;
  const values = { overlap: (image) => first(image).overlap ?? -1, score: (image) => first(image).scores[0] };
  const value = values[order.replace("-", "")], sign = order[0] === "-" ? -1 : 1;
  return passing.sort((a, b) => sign * (value(a) - value(b)));
}

// Return the classes whose maps are shown for an image by a source.
function shownClasses(page, image, source) {
  const { ranked } = image.explained[source], { shown } = page.state;
  const labels = { true: [image.label], predicted: [ranked[0]], both: [image.label, ranked[0]] };
  return [...new Set(labels[shown] ?? [ranked[Math.min(Number(shown), ranked.length) - 1]])];
}
