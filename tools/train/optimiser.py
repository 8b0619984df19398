"""Muon for the matrices inside the encoder and, if asked for, the convolutions after the first; AdamW for
everything else.

Muon takes the momentum of a matrix and replaces its singular values by (nearly) ones: every direction
of a layer learns at the same speed. On few data and few steps it needs about half as many.
"""

import torch

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # quintic iteration towards the orthogonal factor


def orthogonal(stack, precision, iterations=4):
    """[n, rows, columns] -> the same shape, singular values between about 0.7 and 1.2."""
    a, b, c = COEFFICIENTS
    wide = stack.shape[1] > stack.shape[2]
    x = stack.transpose(1, 2) if wide else stack
    x = (x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-9)).to(precision)
    for _ in range(iterations):
        square = x @ x.transpose(1, 2)
        x = a * x + (b * square + c * square @ square) @ x
    return (x.transpose(1, 2) if wide else x).to(stack.dtype)


class Muon(torch.optim.Optimizer):
    """One group; `lr` is the root mean square of an update's entries relative to AdamW's 0.2."""

    def __init__(self, parameters, lr, precision, momentum=0.95, weight_decay=0.0):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "decay": weight_decay})
        self.precision = precision

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    shapes.setdefault(parameter.shape, []).append(parameter)
            for shape, parameters in shapes.items():
                self.update(group, shape, parameters)

    def update(self, group, shape, parameters):
        momentum, directions = group["momentum"], []
        for parameter in parameters:
            state = self.state[parameter]
            if not state:
                state["mean"] = torch.zeros_like(parameter)
            state["mean"].lerp_(parameter.grad, 1 - momentum)
            directions.append(parameter.grad.lerp(state["mean"], momentum).flatten(1))
        scale = 0.2 * max(directions[0].shape) ** 0.5  # the size of step that AdamW takes
        made = orthogonal(torch.stack(directions), self.precision)
        for parameter, update in zip(parameters, made):
            parameter.mul_(1 - group["lr"] * group["decay"])
            parameter.add_(update.view(shape), alpha=-group["lr"] * scale)


def build(trainee, training):
    """[Muon, AdamW] over all parameters of the trainee."""
    matrices, rest = [], []
    for name, parameter in trainee.named_parameters():
        inside = ".encoder.layers." in name or "projection" in name
        narrow = training.get("muon_convolutions") and ".conv_layers." in name and ".conv_layers.0." not in name
        ordered = inside and parameter.ndim == 2 or narrow and parameter.ndim == 3
        (matrices if ordered else rest).append(parameter)
    rate, decay = training["learning_rate"], training["weight_decay"]
    precision = torch.bfloat16 if training.get("bfloat16") else torch.float32
    muon = Muon(matrices, rate, precision, weight_decay=decay)
    muon.param_groups[0]["factor"] = training["muon_factor"]
    adam = torch.optim.AdamW(rest, rate, betas=(0.9, 0.98), weight_decay=decay, fused=True)
    adam.param_groups[0]["factor"] = 1.0
    return [muon, adam]
