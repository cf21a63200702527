"""The head of a class-activation network: conv, pooling, one linear layer (section 2)."""

from typing import Literal

from torch import Tensor, nn

from gapnet.ops.maps import class_map

Pool = Literal["avg", "max"]


class CamHead(nn.Module):
    """Classify by one pooled number per class map.

    `forward(embed(x))` pools sum_k w_k f_k(x, y) over places and adds the bias. For the average the
    weights may as well be applied after the pooling, as in the paper; for the maximum they may not,
    and a class's score is then the highest value of its class map.
    """

    def __init__(
        self,
        channels: int,
        num_classes: int,
        *,
        width: int | None = 1024,
        pool: Pool = "avg",
        dropout: float = 0.0,
    ) -> None:
        """Build the head over features of `channels`; without `width` there is no conv in it."""
        super().__init__()
        if pool not in ("avg", "max"):
            raise ValueError(f"pool={pool!r}: must be 'avg' or 'max'")
        self.pool = pool
        conv = (
            nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True))
            if width
            else nn.Identity()
        )
        self.conv = conv
        self.dropout = nn.Dropout2d(
            dropout
        )  # whole channels, which is dropout on the pooled vector
        self.linear = nn.Linear(width or channels, num_classes)

    def embed(self, trunk_features: Tensor) -> Tensor:
        """Turn the trunk's features into those that the class maps are made of, (B, C, h, w)."""
        features: Tensor = self.conv(trunk_features)
        return features

    def forward(self, features: Tensor) -> Tensor:
        """Score embedded features (B, C, h, w): logits (B, classes)."""
        features = self.dropout(features)
        if self.pool == "avg":
            logits: Tensor = self.linear(features.mean((-2, -1)))
            return logits
        every_class = self.linear.weight.expand(len(features), -1, -1)
        return class_map(features, every_class).amax((-2, -1)) + self.linear.bias

    def class_maps(self, features: Tensor, classes: Tensor) -> Tensor:
        """Map the evidence (B, K, h, w) for classes (B, K) in embedded features (B, C, h, w)."""
        return class_map(features, self.linear.weight[classes])
