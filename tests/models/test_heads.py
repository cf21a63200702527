import pytest
import torch
from torch import nn

from gapnet.models.heads import Added, CamHead, FlatHead, is_caffe
from tests.refusals import refused

CONVS = pytest.mark.parametrize("added", [None, Added(8), Added(8, depth=2, groups=2)], ids=str)


@CONVS
@pytest.mark.parametrize("pool", ["avg", "max"])
def test_pooled_map_plus_bias_is_the_logit_whatever_is_added(
    added: Added | None, pool: str
) -> None:
    head = CamHead(6, 3, added=added, pool=pool, dropout=0.5).double().eval()
    features = head.embed(torch.randn(2, 6, 4, 6, dtype=torch.float64))
    maps = head.class_maps(features, torch.arange(3).expand(2, -1))
    pooled = maps.mean((-2, -1)) if pool == "avg" else maps.amax((-2, -1))
    torch.testing.assert_close(pooled + head.linear.bias, head(features))


def test_the_convs_have_their_width_keep_the_size_and_are_rectified() -> None:
    features = CamHead(6, 3, added=Added(8, depth=2)).embed(torch.randn(2, 6, 4, 6))
    assert features.shape == (2, 8, 4, 6)
    assert features.min() >= 0


def test_the_convs_of_a_released_definition_start_as_it_says() -> None:
    convs = Added(512, depth=2, groups=2, deviation=0.01, bias=1.0).build(384)
    for conv, channels in ((convs[0], 384), (convs[2], 512)):
        assert conv.weight.shape == (512, channels // 2, 3, 3)
        assert conv.weight.std().item() == pytest.approx(0.01, rel=0.01)
        assert conv.weight.mean().item() == pytest.approx(0, abs=1e-4)
        assert set(conv.bias.tolist()) == {1.0}
    assert len(convs) == 4


def test_an_added_conv_keeps_the_spread_of_its_input_by_default() -> None:
    features = torch.randn(4, 64, 8, 8)
    assert Added(64).build(64)[0](features).var().item() == pytest.approx(2, rel=0.25)  # He's rule


@CONVS
def test_dropout_drops_whole_channels_in_training_only(added: Added | None) -> None:
    head = CamHead(6, 3, added=added, dropout=0.5)
    features = head.embed(torch.randn(64, 6, 4, 6))
    assert not torch.equal(head(features), head(features))
    assert torch.equal(head.eval()(features), head(features))


def test_a_flat_head_classifies_the_flattened_features() -> None:
    head = FlatHead(nn.Sequential(nn.Linear(12, 5), nn.ReLU()), 5, 3)
    features = torch.randn(2, 3, 2, 2)
    expected = head.linear(head.layers(features.reshape(2, 12)))
    assert torch.equal(head(head.embed(features)), expected)


def test_an_unknown_profile_is_refused() -> None:
    with refused("model.profile=matlab"):
        is_caffe("matlab")  # type: ignore[arg-type]
