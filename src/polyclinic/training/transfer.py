"""Beginning with the weights of another model: whatever has the same name and shape."""

from collections.abc import Mapping

from torch import Tensor, nn

from polyclinic.errors import Finding, StudyError


def transfer(model: nn.Module, start: Mapping[str, Tensor]) -> int:
    """Copy the weights that fit into ``model``; returns how many did.

    Raises:
        StudyError: if none does.
    """
    own = model.state_dict()
    fitting = {name: value for name, value in start.items() if name in own and own[name].shape == value.shape}
    if not fitting:
        raise StudyError(
            Finding(
                name="nothing_to_transfer",
                place="study.toml [model] start_from",
                rule="some weights must have the names and shapes that this model has",
                found=f"none of {len(start)} do",
                remedy="Use the same input names, kinds and size as the model you start from.",
            )
        )
    model.load_state_dict(own | fitting)
    return len(fitting)
