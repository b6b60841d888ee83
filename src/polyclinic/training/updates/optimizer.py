"""The rule that changes the weights, and which weights are pulled towards zero."""

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW
from torch.optim import Optimizer as Rule

from polyclinic.training.recipe import Recipe

_MOMENTUM = 0.9


def make_optimizer(model: nn.Module, recipe: Recipe) -> Rule:
    """AdamW, Adam or SGD with Nesterov momentum, in two groups: weights that are penalised, and the rest."""
    penalised = decayed(model)
    spared = [p for p in model.parameters() if p.requires_grad and not any(p is one for one in penalised)]
    groups = [{"params": penalised, "weight_decay": recipe.l2}, {"params": spared, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]]
    # The fused kernels do the same arithmetic in one pass over memory.
    fused = next(model.parameters()).device.type in ("cpu", "cuda")
    if recipe.optimizer == "sgd":
        return SGD(groups, lr=recipe.learning_rate, momentum=_MOMENTUM, nesterov=True, fused=fused)
    rule = AdamW if recipe.optimizer == "adamw" else Adam
    return rule(groups, lr=recipe.learning_rate, fused=fused)


def decayed(model: nn.Module) -> list[Tensor]:
    """Weights that L1 and L2 pull towards zero: matrices and kernels, not norms, biases or lone vectors."""
    kinds = (nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.modules.batchnorm._NormBase)
    norms = {id(p) for module in model.modules() if isinstance(module, kinds) for p in module.parameters(recurse=False)}
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad and id(p) not in norms]
    return [p for name, p in named if p.ndim > 1 and not name.endswith("bias")]


def set_rate(rule: Rule, rate: float) -> None:
    """Set the learning rate of the next step."""
    for group in rule.param_groups:
        group["lr"] = rate


def pull(weights: list[Tensor], l1: float) -> None:
    """Add the slope of the absolute penalty ``l1 * sum |w|`` to the gradients."""
    if l1:
        pulled = [(weight.detach(), weight.grad) for weight in weights if weight.grad is not None]
        torch._foreach_add_([slope for _, slope in pulled], torch._foreach_sign([w for w, _ in pulled]), alpha=l1)
