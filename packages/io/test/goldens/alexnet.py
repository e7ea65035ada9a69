"""A PyTorch AlexNet with torchvision's names, and its logits for three photographs: `python3 alexnet.py <folder of photos>` writes them again.

All 61,100,840 weights are overlapping views of one storage of 16,384 random numbers, so that the checkpoint is small and its logits are not.
Photographs are kept as 28×28 thumbnails, which are enlarged to 224×224. Made with PyTorch 1.13.1 and numpy 1.24.2.
dog.jpg and eagle.jpg: pjreddie/darknet (public domain); ladybug.png: ageron/handson-ml2 (Apache-2.0).
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

here = Path(__file__).parent


class AlexNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
        )  # fmt: skip
        self.avgpool = nn.AdaptiveAvgPool2d(6)
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(),
            nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1000),
        )  # fmt: skip

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


torch.manual_seed(0)
numbers = torch.randn(16384) * 0.03
strides = {4: (23, 17, 3, 1), 2: (1, 1), 1: (1,)}
model = AlexNet().eval()
state = {}
for i, (name, p) in enumerate(model.state_dict().items()):
    steps = strides[p.dim()]
    assert sum((n - 1) * s for n, s in zip(p.shape, steps)) + 97 * i < len(numbers) - 1, name
    state[name] = numbers.as_strided(p.shape, steps, 97 * i)
model.load_state_dict(state)

photos = [Image.open(Path(sys.argv[1]) / name).convert("RGB").resize((28, 28)) for name in ("dog.jpg", "eagle.jpg", "ladybug.png")]
thumbnails = np.stack([np.asarray(photo).transpose(2, 0, 1) for photo in photos])
mean, std = np.float32([0.485, 0.456, 0.406]).reshape(3, 1, 1), np.float32([0.229, 0.224, 0.225]).reshape(3, 1, 1)
x = (thumbnails.repeat(8, 2).repeat(8, 3).astype(np.float32) / 255 - mean) / std
with torch.no_grad():
    logits = model(torch.from_numpy(x)).numpy()
print("logits", logits.std(axis=1), logits.argmax(axis=1), "parameters", sum(p.numel() for p in state.values()))
torch.save(state, here / "alexnet.pt")
np.savez_compressed(here / "alexnet-photos.npz", thumbnails=thumbnails, logits=logits)
