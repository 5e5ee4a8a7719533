"""The torch module of the sample bend."""

from torch import Tensor, nn

from clavilux.generator.inputs import InputSpec

__all__ = ["Mirror"]


class Mirror(nn.Module):
    """Blend features with their mirror image: y = x + a (flip(x) - x), so 0 is no bend."""

    is_features = True

    def __init__(self, layer: str) -> None:
        super().__init__()
        self.layer, self.spec = layer, ("acme.mirror", layer)
        self.inputs = {"amount": InputSpec((), "float32", "linear")}

    def forward(self, x: Tensor, amount: Tensor) -> Tensor:
        a = amount.to(x.dtype)[:, None, None, None]
        return x + a * (x.flip(3) - x)
