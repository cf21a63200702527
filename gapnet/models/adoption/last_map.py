"""Finds the last map of a network by running it, with gradients of its logits."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx, nn

from gapnet.errors import GapnetError
from gapnet.models.adoption.classifier_graph import DEPTH, trace
from gapnet.models.adoption.map_layout import MapLayout, guess_layout
from gapnet.models.surgery import in_eval

LEAST_USED = 0.5  # share of a map's cells that the logits must depend on
HEADS = "num_heads"  # attribute of attention layers


class LastMap(NamedTuple):
    """The last map that the logits depend on, in a traced network.

    Args:
        graph: of the whole network in eval mode.
        node: whose output is the map.
        layout: of that output.
        classes: number of logits.
    """

    graph: fx.Graph
    node: fx.Node
    layout: MapLayout
    classes: int


class _Pass(NamedTuple):
    """A forward and backward pass: outputs of nodes, and the gradients of the logits there."""

    outputs: dict[fx.Node, object]
    gradients: dict[fx.Node, Tensor]
    classes: int


def find_last_map(module: nn.Module, image: Tensor) -> LastMap:
    """Return the last output in a network that is a map and whose cells influence the logits.

    The last tokens of a transformer often do not, because the classifier reads only the class
    token. The map is then the input of the last attention layer, after that layer's norm.

    Args:
        module: a classifier.
        image: (1, C, H, W), for which it is run.
    """
    entered: set[str] = set()
    failed: set[str] = set()
    graph = trace(module, entered)
    last, run = None, _Pass({}, {}, 0)
    for _ in range(DEPTH):
        run = _run(module, graph, image, _unchanged(run, graph))
        last = _last_in(module, graph, run, image) or last
        name = next(_to_enter(module, last, graph, entered | failed), None)
        if name is None:
            break
        try:
            graph = trace(module, entered | {name})
            entered.add(name)
        except GapnetError:  # the layer is not traced
            failed.add(name)
    if last is None:
        raise GapnetError("none of its outputs is a map that its logits depend on")
    return last


def _last_in(module: nn.Module, graph: fx.Graph, run: _Pass, image: Tensor) -> LastMap | None:
    height, width = image.shape[-2:]
    for node in reversed(graph.nodes):
        gradient = run.gradients.get(node)
        if gradient is None or node.op in ("placeholder", "output"):
            continue
        layout = guess_layout(module, gradient.shape, (height, width))
        if layout is not None and _used(layout.to_maps(gradient)) >= LEAST_USED:
            return LastMap(graph, node, layout, run.classes)
    return None


def _used(gradient: Tensor) -> float:
    """Return the share of the cells of a gradient (1, C, h, w) that are not 0."""
    return gradient.ne(0).any(1).float().mean().item()


def _to_enter(
    module: nn.Module, last: LastMap | None, graph: fx.Graph, tried: set[str]
) -> Iterator[str]:
    """Yield the names of untraced layers that take the last map, and may contain a later one."""
    for node in graph.nodes if last is None else last.node.users:
        if node.op == "call_module" and str(node.target) not in tried:
            layer = module.get_submodule(str(node.target))
            if not (_is_of_torch(layer) or _is_attention(layer)):
                yield str(node.target)


def _is_of_torch(layer: nn.Module) -> bool:
    is_container = isinstance(layer, nn.Sequential)
    return type(layer).__module__.startswith("torch.nn.") and not is_container


def _is_attention(layer: nn.Module) -> bool:
    """Return whether a layer is attention itself, not a block around it."""
    return [part for part in layer.modules() if hasattr(part, HEADS)] == [layer]


def _unchanged(run: _Pass, graph: fx.Graph) -> dict[fx.Node, object]:
    """Return outputs of an earlier pass for the first nodes of a graph, which are the same."""
    known: dict[fx.Node, object] = {}
    for (old, output), node in zip(run.outputs.items(), graph.nodes, strict=False):
        if (old.name, old.op, old.target) != (node.name, node.op, node.target):
            break
        known[node] = output.detach() if isinstance(output, Tensor) else output
    return known


class _Recorder(fx.Interpreter):
    """Interpreter that keeps all outputs, and starts from those that are known."""

    def __init__(self, module: fx.GraphModule, known: dict[fx.Node, object]) -> None:
        super().__init__(module)
        self.known = known
        self.outputs: dict[fx.Node, object] = {}

    def run_node(self, n: fx.Node) -> Any:
        """Return a node's output, from which gradients are recorded."""
        output = self.known[n] if n in self.known else super().run_node(n)
        if isinstance(output, Tensor) and output.is_floating_point() and output.is_leaf:
            self.outputs[n] = output.detach().requires_grad_()
            return self.outputs[n].clone()  # type: ignore[attr-defined]  # may change in place
        self.outputs[n] = output
        return output


def _run(module: nn.Module, graph: fx.Graph, image: Tensor, known: dict[fx.Node, object]) -> _Pass:
    with (
        in_eval(module),
        _without_zeros(module),
        torch.inference_mode(mode=False),
        torch.enable_grad(),
    ):
        recorder = _Recorder(fx.GraphModule(module, graph), known)
        logits = recorder.run(image.clone())
        if not isinstance(logits, Tensor) or logits.ndim != 2:  # noqa: PLR2004
            raise GapnetError("it must return logits (B, classes)")
        weights = torch.arange(1, logits.shape[1] + 1).to(logits)  # a softmax sums to a constant
        gradients = _gradients((logits * weights).sum(), recorder.outputs)
    return _Pass(recorder.outputs, gradients, logits.shape[1])


def _gradients(score: Tensor, outputs: dict[fx.Node, object]) -> dict[fx.Node, Tensor]:
    """Return the gradients of a score at the nodes that it depends on."""
    recorded = {
        node: output
        for node, output in outputs.items()
        if isinstance(output, Tensor) and output.requires_grad
    }
    gradients = torch.autograd.grad(score, list(recorded.values()), allow_unused=True)
    pairs = zip(recorded, gradients, strict=True)
    return {node: gradient for node, gradient in pairs if gradient is not None}


@contextmanager
def _without_zeros(module: nn.Module) -> Iterator[None]:
    """Replace parameters that are all 0 by random values; they would hide what logits depend on.

    Untrained classifiers often have weights of 0.
    """
    with torch.no_grad():
        zero = [parameter for parameter in module.parameters() if not parameter.any()]
        for parameter in zero:
            parameter.normal_(generator=torch.Generator(parameter.device).manual_seed(0))
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter in zero:
                parameter.zero_()
