"""Splits a traced network in two at one of its nodes."""

from typing import NamedTuple

from torch import fx, nn

from gapnet.errors import GapnetError


class Halves(NamedTuple):
    """The two halves of a network.

    Args:
        first: takes images; returns the output of the node, and what else the second half takes.
        second: takes these, and returns the logits.
    """

    first: fx.GraphModule
    second: fx.GraphModule


def split_at(module: nn.Module, graph: fx.Graph, node: fx.Node) -> Halves:
    """Return the halves of a network before and after a node; they share its weights."""
    after = _after(graph, node)
    if not any(other.op == "output" for other in after):
        raise GapnetError("an operation changes its last map in place before its logits")
    constant = _constant(graph)
    beside = [
        other
        for other in graph.nodes
        if other not in after and other not in constant and other is not node
        if any(user in after for user in other.users)
    ]
    second = _second_half(graph, [node, *beside], after)
    first, copied = fx.Graph(), dict[fx.Node, fx.Node]()
    first.graph_copy(graph, copied)
    first.output((copied[node], *(copied[other] for other in beside)))
    return Halves(_compiled(module, first), _compiled(module, second))


def _after(graph: fx.Graph, node: fx.Node) -> set[fx.Node]:
    """Return the nodes that depend on a node."""
    after: set[fx.Node] = set()
    for other in graph.nodes:
        if any(source is node or source in after for source in other.all_input_nodes):
            after.add(other)
    return after


def _constant(graph: fx.Graph) -> set[fx.Node]:
    """Return the nodes that do not depend on the images, such as parameters."""
    images = next(iter(graph.nodes))
    return set(graph.nodes) - _after(graph, images) - {images}


def _second_half(graph: fx.Graph, inputs: list[fx.Node], after: set[fx.Node]) -> fx.Graph:
    constant = _constant(graph)
    half = fx.Graph()
    values: dict[fx.Node, object] = {node: half.placeholder(node.name) for node in inputs}
    for node in graph.nodes:
        if node.op == "placeholder" and node not in values and node in constant:
            values[node] = node.args[0] if node.args else None
        elif (node in after or node in constant) and node not in values:
            values[node] = half.node_copy(node, values.__getitem__)  # type: ignore[arg-type]
    return half


def _compiled(module: nn.Module, graph: fx.Graph) -> fx.GraphModule:
    traced = fx.GraphModule(module, graph, type(module).__name__)
    traced.graph.eliminate_dead_code()
    traced.recompile()
    traced.delete_all_unused_submodules()
    return traced
