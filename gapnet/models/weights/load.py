"""Loads weights into a network, from a publisher or a file; every weight must fit."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from torch import Size, Tensor

from gapnet.errors import GapnetError
from gapnet.models.builders import own_arguments
from gapnet.models.gapnet import GapNet
from gapnet.models.heads import CamHead, FlatHead
from gapnet.models.surgery import RGB
from gapnet.models.weights.files import Description, Saved, find_weights, read
from gapnet.models.weights.published import Published, identify
from gapnet.models.weights.renaming import COUNTER
from gapnet.models.weights.variants import check_variant

SHOWN = 3  # names that an error lists
CLASSIFIER = "head.linear."
# Arguments that may differ between a network and the one whose weights it takes
CARRIED = {"num_classes", "pool", "dropout", "input_size", "in_channels", "stride", "dilate"}
RESET = "model.reset_head=true loads the rest and initialises the classifier"


def take_published(network: GapNet, *, reset_head: bool) -> None:
    """Load the published weights of a network."""
    if network.published is None:
        raise GapnetError(
            f"model.pretrained=true: there are no published weights for {network.name}; "
            "pass a file with model.weights=FILE, or train from scratch"
        )
    published = network.published
    source = f"model.pretrained=true ({published.title})"
    _take_theirs(network, published, published.fetch(), source=source, reset_head=reset_head)
    network.facts = replace(network.facts, weights=published.title)


def take_file(network: GapNet, path: Path, *, reset_head: bool) -> None:
    """Load a state dict, a checkpoint, a safetensors file, or those of a run or a hub folder."""
    source = f"model.weights={path}"
    try:
        file = find_weights(path)
        saved = read(file)
    except GapnetError as error:
        raise GapnetError(f"model.weights={error}") from error
    if saved.description is not None:
        _take_described(network, saved, saved.description, source=source, reset_head=reset_head)
    elif network.published is None or any(name.startswith("trunk.") for name in saved.state):
        _take_own(network, saved.state, source=source, reset_head=reset_head)
    else:
        check_variant(file, network.published.base)
        _take_theirs(network, network.published, saved.state, source=source, reset_head=reset_head)
    network.facts = replace(network.facts, weights=str(path))


def _take_described(
    network: GapNet, saved: Saved, described: Description, *, source: str, reset_head: bool
) -> None:
    """Load the weights of a network that gapnet saved, if it is the same network."""
    theirs = _identity(described.name, described.arguments)
    ours = _identity(network.name, network.arguments)
    if theirs != ours:
        raise GapnetError(f"{source}: contains the weights of {theirs}, not of {ours}")
    _take_own(network, saved.state, source=source, reset_head=reset_head)
    if reset_head:
        network.set_classes(None)
    else:
        network.set_classes(described.classes, described.class_names)


def _identity(name: str, arguments: Mapping[str, object]) -> str:
    """Return the network as text, without arguments that may differ."""
    own = own_arguments(name, arguments)
    texts = (f"{key}={value}" for key, value in sorted(own.items()) if key not in CARRIED)
    return f"{name}({', '.join(texts)})"


def _take_own(
    network: GapNet, state: Mapping[str, Tensor], *, source: str, reset_head: bool
) -> None:
    """Load weights that have the network's names."""
    own = network.state_dict()
    new = [name for name in own if name.startswith(CLASSIFIER) and reset_head]
    used = {name: value for name, value in state.items() if name not in new}
    _check_classes(network, used, source)
    _check(source, network.name, used, unexpected=set(used) - set(own), missing=set(own) - set(new))
    _put(network, used, source)


def _take_theirs(
    network: GapNet,
    published: Published,
    state: Mapping[str, Tensor],
    *,
    source: str,
    reset_head: bool,
) -> None:
    """Load weights that have the publisher's names; those after the cut are ignored."""
    layout, own = published.layout(), network.state_dict()
    state = _translated(published, state, layout, source)
    ours = {name: published.rename(name, own) for name in layout}
    matches = {name: own_name for name, own_name in ours.items() if own_name in own}
    _check_trunk(network, published, matches.values())
    needed = {
        name: own_name
        for name, own_name in matches.items()
        if not (reset_head and own_name.startswith(CLASSIFIER))
    }
    taken = {own_name: state[name] for name, own_name in needed.items() if name in state}
    try:
        _check_classes(network, taken, source)
        _check_classifier(needed, state, source)
        _check(source, network.name, state, unexpected=set(state) - set(layout), missing=needed)
        _put(network, taken, source)
        if _is_whole(network, published) and not reset_head:
            classes = published.classes()
            network.set_classes(classes if len(classes) == network.num_classes else None)
    except GapnetError as error:
        known = identify(state)
        if known is None or known == published.base:
            raise
        raise GapnetError(
            f"{source}: contains torchvision's {known}, but {network.name} takes {published.base}"
        ) from error


def _is_whole(network: GapNet, published: Published) -> bool:
    """Return whether a network has the publisher's classifier."""
    return "linear" in published.head.values() or not isinstance(network.head, CamHead | FlatHead)


def _translated(
    published: Published, state: Mapping[str, Tensor], layout: Mapping[str, Size], source: str
) -> Mapping[str, Tensor]:
    try:
        return published.translate(state, layout)
    except GapnetError as error:
        raise GapnetError(f"{source}: {error}") from error


def _check_trunk(network: GapNet, published: Published, matched: Collection[str]) -> None:
    """Refuse a trunk with weights that the publisher does not have, except replaced ones."""
    new = tuple(f"trunk.{layer}." for layer in published.replaced)
    trunk = [name for name in network.state_dict() if name.startswith("trunk.")]
    lost = [name for name in trunk if name not in matched and not name.startswith(new)]
    if lost:
        raise GapnetError(f"{published.title} has no weights for {network.name}'s {_short(lost)}")


def _check(
    source: str,
    name: str,
    state: Mapping[str, Tensor],
    *,
    unexpected: Collection[str],
    missing: Collection[str],
) -> None:
    """Refuse a state dict with missing or unexpected names."""
    lacking = sorted(key for key in missing if key not in state and not key.endswith(COUNTER))
    faults = [
        f"{len(names)} {what} ({_short(names)})"
        for what, names in (("missing", lacking), ("unexpected", sorted(unexpected)))
        if names
    ]
    if faults:
        raise GapnetError(f"{source}: does not fit {name}: {', '.join(faults)}")


def _check_classes(network: GapNet, state: Mapping[str, Tensor], source: str) -> None:
    weight = state.get(f"{CLASSIFIER}weight")
    if weight is not None and weight.ndim and len(weight) != network.num_classes:
        raise GapnetError(
            f"{source}: has {len(weight)} classes, but the data set has {network.num_classes}; "
            f"{RESET}"
        )


def _check_classifier(needed: Mapping[str, str], state: Mapping[str, Tensor], source: str) -> None:
    """Refuse a file that lacks nothing but the classifier."""
    lost = [own_name for name, own_name in needed.items() if name not in state]
    lost = [own_name for own_name in lost if not own_name.endswith(COUNTER)]
    if lost and all(own_name.startswith(CLASSIFIER) for own_name in lost):
        raise GapnetError(f"{source}: has no classifier; {RESET}")


def _put(network: GapNet, state: Mapping[str, Tensor], source: str) -> None:
    """Copy weights into a network; for a grey network, the weights of the colours are added."""
    own = network.state_dict()
    fitting = {
        name: _add_colours(value) if name in network.grey_weights else value
        for name, value in _without_cells(state, own).items()
    }
    wrong = [
        f"{name} is {_size(value)}, not {_size(own[name])}"
        for name, value in fitting.items()
        if value.shape != own[name].shape
    ]
    if wrong:
        raise GapnetError(
            f"{source}: does not fit {network.name}: {len(wrong)} weights of another size "
            f"({_short(wrong)})"
        )
    network.load_state_dict(fitting, strict=False)  # missing names have been checked


def _without_cells(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Return weights in which a 1x1 conv that classifies is a linear layer."""
    return {
        name: value.flatten(1) if own[name].ndim == 2 and value.shape[2:] == (1, 1) else value  # noqa: PLR2004
        for name, value in state.items()
    }


def _add_colours(value: Tensor) -> Tensor:
    return value.sum(1, keepdim=True) if value.ndim > 1 and value.shape[1] == RGB else value


def _size(value: Tensor) -> str:
    return "x".join(map(str, value.shape)) or "a number"


def _short(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more
