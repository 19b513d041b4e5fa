"""A plain torch ResNet (the oracle) with torchvision's and IBN-Net's parameter names; torch only, no torchvision."""

import torch
from torch import nn

LAYOUTS = {"resnet18": ((2, 2, 2, 2), False), "resnet50": ((3, 4, 6, 3), True)}


class IBN(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.half = channels // 2
        self.IN = nn.InstanceNorm2d(self.half, affine=True)
        self.BN = nn.BatchNorm2d(channels - self.half)

    def forward(self, x):
        return torch.cat([self.IN(x[:, : self.half]), self.BN(x[:, self.half :])], dim=1)


class Block(nn.Module):
    def __init__(self, in_channels, width, stride, bottleneck, split, final):
        super().__init__()
        out = width * (4 if bottleneck else 1)
        if bottleneck:
            self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
            self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
            self.conv3 = nn.Conv2d(width, out, 1, bias=False)
            self.bn3 = nn.BatchNorm2d(out)
        else:
            self.conv1 = nn.Conv2d(in_channels, width, 3, stride, 1, bias=False)
            self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn1 = IBN(width) if split else nn.BatchNorm2d(width)
        self.bn2 = nn.BatchNorm2d(width)
        self.IN = nn.InstanceNorm2d(out, affine=True) if final else None
        self.downsample = None
        if stride != 1 or in_channels != out:
            self.downsample = nn.Sequential(nn.Conv2d(in_channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))
        self.bottleneck = bottleneck

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.bottleneck:
            y = self.bn3(self.conv3(torch.relu(y)))
        y = y + (x if self.downsample is None else self.downsample(x))
        return torch.relu(y if self.IN is None else self.IN(y))


class TorchResNet(nn.Module):
    def __init__(self, depth="resnet50", ibn=None, last_stride=2):
        super().__init__()
        repeats, bottleneck = LAYOUTS[depth]
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.InstanceNorm2d(64, affine=True) if ibn == "b" else nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        channels = 64
        for number, repeat in enumerate(repeats, start=1):
            stage = []
            for place in range(repeat):
                stride = (1 if number == 1 else last_stride if number == 4 else 2) if place == 0 else 1
                width = 64 * 2 ** (number - 1)
                split = ibn == "a" and number < 4
                final = ibn == "b" and number < 3 and place == repeat - 1
                stage.append(Block(channels, width, stride, bottleneck, split, final))
                channels = width * (4 if bottleneck else 1)
            setattr(self, f"layer{number}", nn.Sequential(*stage))
        self.fc = nn.Linear(channels, 10)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


def random_resnet(depth, ibn=None, last_stride=2, seed=0):
    """A network in inference mode whose every parameter and running statistic is random."""
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    network = TorchResNet(depth, ibn, last_stride)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith("running_mean") or (tensor.ndim == 1 and name.endswith("bias")):
                tensor.copy_(0.1 * torch.randn(tensor.shape, generator=generator))
            elif tensor.ndim == 1 and tensor.is_floating_point():
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
    return network.eval()
