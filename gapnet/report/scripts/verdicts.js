// Verdicts on boxes by the rules of a protocol, as in gapnet.evaluation.breakdown.

const SEVERAL = 0.3, PART = 0.5, MORE = 0.7; // least shares of an object, of the box, of an object

// Convert a predicted box to the frame in which the protocol computes overlaps.
function intoFrame(box, [width, height], frame) {
  if (!frame) return box;
  const margin = (frame.resize - frame.crop) / 2;
  return box.map((value, side) => {
    const cell = [width, height][side % 2] / frame.resize, far = side > 1 ? 1 : 0;
    return frame.whole ? halfToEven((value + far) / cell - far - margin) : value / cell - margin;
  });
}

function halfToEven(value) {
  const below = Math.floor(value);
  return value - below === 0.5 ? below + (below % 2 !== 0) : Math.round(value);
}

// Return the highest overlap of a box with a true one, or null without true boxes.
function bestOverlap(box, image, rules) {
  if (!image.framed.length) return null;
  const framed = intoFrame(box, image.size, rules.frame);
  return Math.max(...image.framed.map((truth) => overlapOf(framed, truth, rules.inclusive)));
}

// Return what is right or wrong about a first guess: a class, and its box or null.
function kindOf(predicted, box, image, rules) {
  if (predicted !== image.label) return "wrong_class";
  if (!box || !image.framed.length) return "right";
  const overlap = bestOverlap(box, image, rules);
  if (rules.above ? overlap > rules.iou : overlap >= rules.iou) return "right";
  const framed = intoFrame(box, image.size, rules.frame);
  const shared = image.framed.map((truth) => sharedArea(framed, truth, rules.inclusive));
  const ofObject = shared.map((area, index) => area / Math.max(1, areaOf(image.framed[index], rules.inclusive)));
  const ofBox = shared.map((area) => area / Math.max(1, areaOf(framed, rules.inclusive)));
  if (ofObject.filter((share) => share > SEVERAL).length > 1) return "several";
  if (ofBox.some((share) => share > PART)) return "part";
  return ofObject.some((share) => share > MORE) ? "more" : "elsewhere";
}
