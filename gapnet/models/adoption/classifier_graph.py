"""Finds the pooling and the classifier of any network by following its forward pass backwards."""

import inspect
import operator
import re
from dataclasses import dataclass

import torch
from timm.models._features_fx import get_notrace_functions
from torch import Tensor, fx, nn
from torch.nn import functional

from gapnet.errors import reason
from gapnet.models.adoption.no_class_maps import NoClassMapsError
from gapnet.models.heads import Pool
from gapnet.models.surgery import in_eval

DEPTH = 20  # modules in modules that may hold the pooling

# Steps after the pooling that change the shape of the pooled vector, or nothing in eval mode
RESHAPING = {"flatten", "view", "reshape", "squeeze", "contiguous", "permute", "transpose"}
NEUTRAL = {torch.flatten, torch.squeeze, torch.permute, functional.dropout}
NEUTRAL_LAYERS = (nn.Dropout, nn.Dropout2d, nn.Identity, nn.Flatten)

POOLING_LAYERS: dict[type[nn.Module], Pool] = {
    nn.AdaptiveAvgPool2d: "avg",
    nn.AvgPool2d: "avg",
    nn.AdaptiveMaxPool2d: "max_unit",
}
POOLING_FUNCTIONS: dict[object, Pool] = {
    functional.adaptive_avg_pool2d: "avg",
    torch.mean: "avg",
    functional.adaptive_max_pool2d: "max_unit",
    torch.amax: "max_unit",
}
POOLING_METHODS: dict[object, Pool] = {"mean": "avg", "amax": "max_unit"}


@dataclass(frozen=True)
class ClassifierGraph:
    """The last steps of a network.

    Args:
        graph: of the whole network in eval mode.
        pooled: node whose output the pooling takes.
        pooling: node of the pooling.
        pool: avg or max_unit.
        linear: name of the classifier's layer; None if the pooled values are the logits.
        norm: name of the layer norm between the pooling and the classifier.
    """

    graph: fx.Graph
    pooled: fx.Node
    pooling: fx.Node
    pool: Pool
    linear: str | None
    norm: str | None


def find_classifier(module: nn.Module) -> ClassifierGraph:
    """Follow a network from its logits back to the pooling.

    Submodules are traced only where the pooling or the classifier is inside them, so the others
    keep their own behaviour in training.
    """
    entered: set[str] = set()
    for _ in range(DEPTH):
        search = _Search(module, trace(module, entered))
        result = search.run()
        if isinstance(result, ClassifierGraph):
            return result
        entered.add(result)
    raise NoClassMapsError.of(type(module).__name__, "its classifier lies too deep")


class _Tracer(fx.Tracer):
    """Tracer that enters chosen submodules only."""

    def __init__(self, entered: frozenset[str] = frozenset()) -> None:
        super().__init__(autowrap_functions=tuple(get_notrace_functions()))  # type: ignore[no-untyped-call]
        self.entered = entered

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:  # noqa: ARG002
        return module_qualified_name not in self.entered


def trace(module: nn.Module, entered: set[str]) -> fx.Graph:
    """Return the graph of a network in eval mode, in which the other submodules are one step."""
    try:
        with in_eval(module):
            graph = _Tracer(frozenset(entered)).trace(module, concrete_args=_options(module))
    except Exception as error:  # of any kind: any forward runs here, with proxies for tensors
        raise NoClassMapsError.of(
            type(module).__name__, f"its forward pass cannot be traced ({brief(error)})"
        ) from error
    _remove_options(graph)
    return graph


def _options(module: nn.Module) -> dict[str, object]:
    """Return the default values of the arguments of a forward pass, other than the images."""
    parameters = list(inspect.signature(module.forward).parameters.values())[1:]
    return {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.default is not inspect.Parameter.empty
    }


def _remove_options(graph: fx.Graph) -> None:
    """Remove the arguments that have got their default values, and torch.fx's checks of these."""
    removed = [node for node in graph.nodes if node.op == "placeholder"][1:]
    for node in graph.nodes:
        if any(source in removed for source in node.all_input_nodes):
            removed.append(node)
    for node in reversed(removed):
        graph.erase_node(node)


def brief(error: Exception) -> str:
    """Return the first sentence of an error: torch.fx explains at length."""
    return re.split(r"\n|; |\. ", reason(error).strip())[0]


class _Search:
    """One walk from the output of a graph towards its input."""

    def __init__(self, module: nn.Module, graph: fx.Graph) -> None:
        self.module = module
        self.graph = graph
        self.linear: str | None = None
        self.norm: str | None = None

    def run(self) -> ClassifierGraph | str:
        """Return the classifier, or the name of a submodule that must be traced as well."""
        (output,) = (node for node in self.graph.nodes if node.op == "output")
        node = output.args[0]
        while isinstance(node, fx.Node) and node.op != "placeholder":
            pool = self._pool(node)
            if pool is not None:
                return ClassifierGraph(
                    self.graph, _source(node), node, pool, self.linear, self.norm
                )
            if not self._passes(node):
                return str(node.target)
            node = node.args[0]
        raise self._refused("no pooling precedes its logits")

    def _pool(self, node: fx.Node) -> Pool | None:
        if node.op == "call_module":
            return POOLING_LAYERS.get(type(self.module.get_submodule(str(node.target))))
        if node.op == "call_method":
            return POOLING_METHODS.get(node.target)
        return POOLING_FUNCTIONS.get(node.target)

    def _passes(self, node: fx.Node) -> bool:
        """Note a step after the pooling; False if its module must be traced to know its steps."""
        if node.op == "call_module":
            return self._passes_layer(str(node.target))
        if node.op == "call_method" and node.target in RESHAPING:
            return True
        if node.op == "call_function" and node.target in NEUTRAL:
            return True
        if node.target is operator.getitem:
            raise self._refused(
                "its classifier takes a part of its features (a class token?), not pooled ones"
            )
        name = getattr(node.target, "__name__", node.target)
        raise self._refused(f"{name}() stands between its pooling and its logits")

    def _passes_layer(self, name: str) -> bool:
        layer = self.module.get_submodule(name)
        if isinstance(layer, NEUTRAL_LAYERS):
            return True
        if self.linear is None and self.norm is None and _is_linear(layer):
            self.linear = name
            return True
        if self.linear is not None and self.norm is None and isinstance(layer, nn.LayerNorm):
            self.norm = name
            return True
        if type(layer).__module__.startswith("torch.nn.") and not isinstance(layer, nn.Sequential):
            raise self._refused(
                f"its layer {name} ({type(layer).__name__}) stands between pooling and logits"
            )
        return False

    def _refused(self, problem: str) -> NoClassMapsError:
        return NoClassMapsError.of(type(self.module).__name__, problem)


def _is_linear(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Linear) or (
        isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1) and layer.groups == 1
    )


def _source(node: fx.Node) -> fx.Node:
    source = node.args[0] if node.args else next(iter(node.kwargs.values()))
    assert isinstance(source, fx.Node), source
    return source


def pooled_outputs(
    module: nn.Module, classifier: ClassifierGraph, image: Tensor
) -> tuple[torch.Size, torch.Size]:
    """Return the sizes of the features before and after the pooling, for an image."""
    before_after = (classifier.pooled, classifier.pooling)
    with torch.no_grad(), in_eval(module):
        before, after = _ending_at(module, classifier.graph, before_after)(image)
    return before.shape, after.shape


def trunk_graph(module: nn.Module, classifier: ClassifierGraph) -> fx.GraphModule:
    """Return the part of a network up to its pooling; its submodules are shared and keep names."""
    return _ending_at(module, classifier.graph, classifier.pooled)


def _ending_at(
    module: nn.Module, graph: fx.Graph, end: fx.Node | tuple[fx.Node, ...]
) -> fx.GraphModule:
    """Return a network that ends at other nodes, without what they do not need."""
    for node in [node for node in graph.nodes if node.op == "output"]:
        graph.erase_node(node)
    graph.output(end)
    traced = fx.GraphModule(module, graph, type(module).__name__)
    traced.graph.eliminate_dead_code()
    traced.recompile()
    traced.delete_all_unused_submodules()
    return traced
