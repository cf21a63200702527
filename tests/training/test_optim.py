import pytest
import torch

from gapnet.models.zoo.tiny import tiny_gap
from gapnet.training.optim import OptimRecipe, count_steps
from tests.refusals import refused


def recipe(**changes: object) -> OptimRecipe:
    return OptimRecipe(**{"optimizer": torch.optim.SGD, "lr": 0.1, **changes})


def test_every_parameter_is_in_one_group() -> None:
    network = tiny_gap(3)
    grouped = [value for group in recipe().groups(network) for value in group["params"]]
    assert len(grouped) == len(list(network.parameters()))
    assert set(map(id, grouped)) == set(map(id, network.parameters()))


def test_biases_and_norms_have_no_decay() -> None:
    network = tiny_gap(3)
    decayed = {
        id(p)
        for group in recipe(weight_decay=0.1).groups(network)
        if group["weight_decay"]
        for p in group["params"]
    }
    for name, parameter in network.named_parameters():
        is_weight_of_conv_or_linear = parameter.ndim > 1
        assert (id(parameter) in decayed) == is_weight_of_conv_or_linear, name


def test_the_head_learns_at_a_multiple_of_the_rate() -> None:
    network = tiny_gap(3)
    rates = {
        id(p): group["lr"]
        for group in recipe(head_multiplier=10.0).groups(network)
        for p in group["params"]
    }
    assert all(rates[id(value)] == 0.1 for value in network.trunk.parameters())
    assert all(rates[id(value)] == 1.0 for value in network.head.parameters())


def test_biases_learn_at_a_multiple_of_their_layer_s_rate() -> None:
    network = tiny_gap(3)
    groups = recipe(bias_multiplier=2.0, head_multiplier=10.0).groups(network)
    rates = {id(p): group["lr"] for group in groups for p in group["params"]}
    assert rates[id(network.head.linear.bias)] == 2.0
    assert rates[id(network.head.linear.weight)] == 1.0
    assert rates[id(network.trunk.get_parameter("0.1.bias"))] == 0.2
    assert rates[id(network.trunk.get_parameter("0.1.weight"))] == 0.1  # of a norm, no bias


def test_frozen_parameters_are_left_out() -> None:
    network = tiny_gap(3)
    network.trunk.requires_grad_(requires_grad=False)
    grouped = [value for group in recipe().groups(network) for value in group["params"]]
    assert set(map(id, grouped)) == set(map(id, network.head.parameters()))


def test_the_cosine_rises_to_one_and_falls_to_zero() -> None:
    rates = [recipe(warmup=0.1).rate(step, 100) for step in range(101)]
    assert rates[0] < 0.1
    assert rates[10] == 1.0
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[55] == pytest.approx(0.5)
    assert rates[100] == pytest.approx(0)


def test_the_step_schedule_falls_by_a_factor_at_each_quarter() -> None:
    steps = recipe(schedule="step")
    assert [steps.rate(step, 160) for step in (0, 39, 40, 80, 120)] == pytest.approx(
        [1, 1, 0.1, 0.01, 0.001]
    )


def test_constant_is_constant() -> None:
    assert {recipe(schedule="constant").rate(step, 10) for step in range(10)} == {1.0}


def test_the_schedule_sets_the_rate_of_the_optimiser() -> None:
    optimizer, schedule = recipe(warmup=0.5, head_multiplier=2.0).build(tiny_gap(3), 10)
    for _ in range(5):
        optimizer.step()
        schedule.step()
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.1, 0.2])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"epochs": 3}, 30),
        ({"epochs": 3, "accumulate": 4}, 9),
        ({"epochs": 3, "limit": 2}, 6),
        ({"epochs": 3, "limit": 0.5}, 15),
        ({"epochs": 3, "most": 7}, 7),
        ({"epochs": None, "most": 7}, 7),
        ({"epochs": -1, "most": 7}, 7),
    ],
)
def test_steps_are_counted(arguments: dict, expected: int) -> None:
    assert count_steps(10, **arguments) == expected


@pytest.mark.parametrize("arguments", [{"epochs": 0}, {"epochs": 3, "most": 0}, {"epochs": -1}])
def test_a_training_without_a_step_or_an_end_is_refused(arguments: dict) -> None:
    with refused(f"trainer.max_epochs={arguments['epochs']}"):
        count_steps(10, **arguments)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lr", 0.0),
        ("lr", "fast"),
        ("lr", float("nan")),
        ("warmup", 1.0),
        ("schedule", "linear"),
    ],
)
def test_a_recipe_out_of_range_is_refused(name: str, value: object) -> None:
    with refused(f"optim.{name}={value}"):
        recipe(**{name: value})
