"""How the files beside this were made, with what the models predict; PyTorch 2.13.

No test runs this. ``python make_files.py`` makes them again.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

FOLDER = Path(__file__).parent
torch.manual_seed(0)


def keep(name: str, model: nn.Module, shape: tuple[int, ...], dtype: torch.dtype | None) -> None:
    """Give every array random numbers, as training would, and write them and predictions."""
    for name_of, values in model.state_dict().items():
        if values.is_floating_point():
            values.uniform_(0.5 if "var" in name_of else -0.7, 1.0)
    if dtype is not None:
        model = model.to(dtype)
    save_file(model.state_dict(), FOLDER / f"{name}.safetensors")
    model = model.double().eval()
    x = torch.randn(4, *shape, dtype=torch.float64)
    np.savez(FOLDER / f"{name}.npz", x=x.numpy(), y=model(x).detach().numpy())


def tanh_layers(count: int) -> nn.Module:
    return nn.Sequential(*(part for _ in range(count) for part in (nn.Linear(3, 3), nn.Tanh())))


class Images(nn.Module):
    """Names whose order as text is not that of the layers, and a flattened image."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(2, 4, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 6, (2, 3), groups=2, bias=False)
        self.bn2 = nn.BatchNorm2d(6)
        self.flat = nn.BatchNorm1d(6 * 2 * 2)
        self.fc1 = nn.Linear(6 * 2 * 2, 5)
        self.fc2 = nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.bn1(self.conv1(x)))
        x = nn.functional.max_pool2d(x, 2)
        x = torch.relu(self.bn2(self.conv2(x)))
        x = torch.tanh(self.fc1(self.flat(x.flatten(1))))
        return self.fc2(x)


keep("deep", tanh_layers(12), (3,), None)
keep("images", Images(), (2, 6, 8), None)
keep("bfloat16", tanh_layers(1), (3,), torch.bfloat16)
keep("float16", tanh_layers(1), (3,), torch.float16)
keep("double", tanh_layers(1), (3,), torch.float64)
enlarging = OrderedDict(
    grow=nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2),
    norm=nn.GroupNorm(3, 6),
    slope=nn.PReLU(),
    again=nn.Conv2d(6, 2, 2, dilation=2),
    slopes=nn.PReLU(2),
)
keep("enlarging", nn.Sequential(enlarging), (4, 3, 4), None)
sequences = OrderedDict(
    conv=nn.Conv1d(2, 4, 3),
    flat=nn.Flatten(),
    drop=nn.Dropout(),
    norm=nn.LayerNorm(4 * 7),
    slopes=nn.PReLU(4 * 7),
    out=nn.Linear(4 * 7, 2),
)
keep("sequences", nn.Sequential(sequences), (2, 9), None)
