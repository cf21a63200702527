import pytest
import torch

from gapnet.models.heads import CamHead

WIDTHS = pytest.mark.parametrize("width", [None, 8])


@WIDTHS
@pytest.mark.parametrize("pool", ["avg", "max"])
def test_pooled_map_plus_bias_is_the_logit_with_and_without_the_conv(
    width: int | None, pool: str
) -> None:
    head = CamHead(5, 3, width=width, pool=pool, dropout=0.5).double().eval()
    features = head.embed(torch.randn(2, 5, 4, 6, dtype=torch.float64))
    maps = head.class_maps(features, torch.arange(3).expand(2, -1))
    pooled = maps.mean((-2, -1)) if pool == "avg" else maps.amax((-2, -1))
    torch.testing.assert_close(pooled + head.linear.bias, head(features))


def test_the_conv_has_its_width_keeps_the_size_and_is_rectified() -> None:
    features = CamHead(5, 3, width=8).embed(torch.randn(2, 5, 4, 6))
    assert features.shape == (2, 8, 4, 6)
    assert features.min() >= 0


@WIDTHS
def test_dropout_drops_whole_channels_in_training_only(width: int | None) -> None:
    head = CamHead(5, 3, width=width, dropout=0.5)
    features = head.embed(torch.randn(64, 5, 4, 6))
    assert not torch.equal(head(features), head(features))
    assert torch.equal(head.eval()(features), head(features))
