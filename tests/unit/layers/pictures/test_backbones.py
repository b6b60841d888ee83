"""Image networks: sizes, maps, and the parameter names of public weights."""

import re

import pytest
import torch

from polyclinic.layers.pictures import backbones
from polyclinic.layers.pictures.backbones import Blueprint, build, public, scratch
from polyclinic.layers.pictures.public_weights import WeightsDiffer, adopt, fit_channels, read_weights

ARCHITECTURES = ["resnet18", "resnet34", "resnet50", "densenet121", "convnext", "vit"]

PUBLISHED = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "densenet121": 7_978_856,
    "convnext": 28_589_128,
    "vit": 86_567_656,
}
"""Parameters with a classifier of 1,000 classes. Source: torchvision 0.20 documentation, num_params of the
IMAGENET1K_V1 weights (ViT: vit_b_16, ConvNeXt: convnext_tiny)."""

CLASSIFIER = {"resnet18": "fc", "resnet34": "fc", "resnet50": "fc", "densenet121": "classifier"}


def full(architecture, channels=3, extent=(224, 224)):
    """A network as large as the public one."""
    if architecture == "vit":
        return build(Blueprint("vit", channels, *extent, 768, (12,), 16, 0, False))
    return build(public(architecture, channels, extent, {}))


def seeded(plan):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build(plan).eval()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_as_many_parameters_as_published(architecture):
    with torch.device("meta"):
        network = full(architecture)
    ours = sum(parameter.numel() for parameter in network.parameters())
    assert ours + 1000 * (network.width + 1) == PUBLISHED[architecture]


@pytest.mark.parametrize(
    ("architecture", "name", "shape"),
    [
        ("resnet18", "layer2.0.downsample.0.weight", (128, 64, 1, 1)),
        ("resnet34", "layer3.5.bn2.running_var", (256,)),
        ("resnet50", "layer4.2.conv3.weight", (2048, 512, 1, 1)),
        ("resnet50", "layer1.0.downsample.1.weight", (256,)),
        ("densenet121", "features.denseblock3.denselayer24.conv2.weight", (32, 128, 3, 3)),
        ("densenet121", "features.transition2.conv.weight", (256, 512, 1, 1)),
        ("densenet121", "features.norm5.bias", (1024,)),
        ("convnext", "features.5.8.block.0.weight", (384, 1, 7, 7)),
        ("convnext", "features.4.1.weight", (384, 192, 2, 2)),
        ("convnext", "features.1.0.layer_scale", (96, 1, 1)),
        ("convnext", "classifier.0.weight", (768,)),
        ("vit", "encoder.layers.encoder_layer_11.self_attention.in_proj_weight", (2304, 768)),
        ("vit", "encoder.layers.encoder_layer_0.mlp.3.weight", (768, 3072)),
        ("vit", "encoder.pos_embedding", (1, 197, 768)),
        ("vit", "class_token", (1, 1, 768)),
    ],
)
def test_public_names(architecture, name, shape):
    """Names and shapes of torchvision's state dicts."""
    with torch.device("meta"):
        assert tuple(full(architecture).state_dict()[name].shape) == shape


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("extent", [(28, 28), (96, 64)])
def test_maps_and_pooled(architecture, extent):
    network = seeded(scratch(architecture, 1, extent, 0))
    with torch.no_grad():
        seen = network(torch.randn(2, 1, *extent))
    assert seen.pooled.shape == (2, network.width)
    sides = [one.shape[2] for one in seen.maps]
    assert sides == sorted(sides, reverse=True)
    assert torch.isfinite(seen.pooled).all()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("side", [8, 9, 15])
def test_very_small_images(architecture, side):
    network = seeded(scratch(architecture, 3, (side, side), 0))
    with torch.no_grad():
        assert network(torch.randn(1, 3, side, side)).pooled.shape == (1, network.width)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_each_size_is_larger_than_the_last(architecture):
    with torch.device("meta"):
        counts = [sum(p.numel() for p in build(scratch(architecture, 1, (28, 28), s)).parameters()) for s in range(4)]
    assert counts == sorted(set(counts))


def test_small_images_keep_their_size_in_the_stem():
    with torch.no_grad():
        assert seeded(scratch("resnet18", 1, (28, 28), 0))(torch.randn(1, 1, 28, 28)).maps[0].shape[2:] == (28, 28)
        assert seeded(scratch("resnet18", 1, (128, 128), 0))(torch.randn(1, 1, 128, 128)).maps[0].shape[2:] == (32, 32)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_gradients_reach_every_weight(architecture):
    network = build(scratch(architecture, 1, (28, 28), 0))
    network(torch.randn(4, 1, 28, 28)).pooled.square().sum().backward()
    assert [name for name, weight in network.named_parameters() if weight.grad is None] == []


def public_state(architecture):
    """A public state dict of random numbers for colour images, with its classifier."""
    network = seeded(scratch(architecture, 3, (64, 64), 0))
    state = {name: value.clone() for name, value in network.state_dict().items()}
    heads = {"convnext": "classifier.2", "vit": "heads.head"}
    head = CLASSIFIER.get(architecture) or heads[architecture]
    return network, {**state, f"{head}.weight": torch.zeros(1000, network.width), f"{head}.bias": torch.zeros(1000)}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_public_weights_give_the_public_answer(architecture):
    theirs, state = public_state(architecture)
    ours = build(scratch(architecture, 3, (64, 64), 0)).eval()
    adopt(ours, state)
    pixels = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(ours(pixels).pooled, theirs(pixels).pooled)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_grey_image_is_answered_as_its_colour_copy(architecture):
    """In double precision: the order of a sum in single precision moves deep networks by more than a thousandth."""
    theirs, state = public_state(architecture)
    ours = build(scratch(architecture, 1, (64, 64), 0)).eval()
    adopt(ours, state)
    grey = torch.randn(2, 1, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        answer = ours.double()(grey).pooled
        expected = theirs.double()(grey.repeat(1, 3, 1, 1)).pooled
    # Adopted weights are summed over the channels in single precision, hence not closer than that.
    torch.testing.assert_close(answer, expected, rtol=1e-3, atol=1e-3)


def test_channels():
    weight = torch.randn(4, 3, 7, 7)
    assert fit_channels(weight, 3) is weight
    torch.testing.assert_close(fit_channels(weight, 1), weight.sum(1, keepdim=True))
    torch.testing.assert_close(fit_channels(fit_channels(weight, 1), 3).sum(1), weight.sum(1))


def test_old_spelling_of_densenet():
    _, state = public_state("densenet121")
    old = {re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", name): value for name, value in state.items()}
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    adopt(build(scratch("densenet121", 3, (64, 64), 0)), old)


def test_names_of_deit():
    theirs, state = public_state("vit")
    names = (
        ("class_token", "cls_token"),
        ("encoder.pos_embedding", "pos_embed"),
        ("conv_proj", "patch_embed.proj"),
        ("encoder.layers.encoder_layer_", "blocks."),
        ("self_attention.in_proj_", "attn.qkv."),
        ("self_attention.out_proj", "attn.proj"),
        ("ln_1", "norm1"),
        ("ln_2", "norm2"),
        ("mlp.0", "mlp.fc1"),
        ("mlp.3", "mlp.fc2"),
        ("encoder.ln", "norm"),
        ("heads.head", "head"),
    )
    deit = {}
    for name, value in state.items():
        for ours, old in names:
            name = name.replace(ours, old)
        deit[name] = value
    assert "blocks.0.attn.qkv.weight" in deit
    plan = public("vit", 3, (64, 64), deit)
    assert (plan.base, plan.depths, plan.stem) == (64, (4,), 8)
    ours = build(scratch("vit", 3, (64, 64), 0)).eval()
    adopt(ours, deit)
    pixels = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(ours(pixels).pooled, theirs(pixels).pooled)


def test_names_of_the_authors_of_convnext():
    theirs, state = public_state("convnext")
    authors = {}
    for name, value in state.items():
        match = re.fullmatch(r"features\.(\d)\.(\d+)\.(.+)", name)
        if match and int(match[1]) % 2 == 0:
            name = f"downsample_layers.{int(match[1]) // 2}.{match[2]}.{match[3]}"
        elif match:
            parts = {"block.0": "dwconv", "block.2": "norm", "block.3": "pwconv1", "block.5": "pwconv2"}
            rest = match[3].replace("layer_scale", "gamma")
            for part, word in parts.items():
                rest = rest.replace(part, word)
            name = f"stages.{int(match[1]) // 2}.{match[2]}.{rest}"
            value = value[:, 0, 0] if rest == "gamma" else value
        name = name.replace("classifier.0", "norm").replace("classifier.2", "head")
        authors[name] = value
    assert "stages.2.0.gamma" in authors
    ours = build(scratch("convnext", 3, (64, 64), 0)).eval()
    adopt(ours, authors)
    pixels = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(ours(pixels).pooled, theirs(pixels).pooled)


def test_places_are_stretched_to_our_grid():
    _, state = public_state("vit")
    larger = build(Blueprint("vit", 3, 96, 48, 64, (4,), 8, 0, False))
    adopt(larger, state)
    assert larger.encoder.pos_embedding.shape == (1, 1 + 12 * 6, 64)


def test_public_shapes():
    assert public("resnet18", 1, (28, 28), {}) == Blueprint("resnet18", 1, 28, 28, 64, (2, 2, 2, 2), 7, 1, False)
    assert public("resnet50", 3, (224, 224), {}).stride == 2
    base = {"features.0.0.weight": torch.zeros(128, 3, 4, 4), "features.5.26.layer_scale": torch.zeros(1)}
    assert public("convnext", 3, (224, 224), base).depths == (3, 3, 27, 3)
    assert public("convnext", 3, (224, 224), base).base == 128


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.pop("layer1.0.conv1.weight"), "1 missing (layer1.0.conv1.weight)"),
        (lambda s: s.update({"extra.weight": torch.zeros(1)}), "1 left over (extra.weight)"),
        (lambda s: s.update({"bn1.weight": torch.zeros(99)}), "1 of another shape (bn1.weight)"),
    ],
)
def test_what_does_not_fit_is_told(change, words):
    _, state = public_state("resnet18")
    change(state)
    with pytest.raises(WeightsDiffer) as caught:
        adopt(build(scratch("resnet18", 3, (64, 64), 0)), state)
    assert str(caught.value) == words


def test_another_architecture_is_told():
    _, state = public_state("resnet18")
    with pytest.raises(WeightsDiffer, match=r"\d+ missing \(.*, \.\.\.\); \d+ left over"):
        adopt(build(scratch("densenet121", 3, (64, 64), 0)), state)


def test_files(tmp_path):
    from safetensors.torch import save_file

    _, state = public_state("resnet18")
    save_file(state, tmp_path / "w.safetensors")
    torch.save({"state_dict": {f"module.{name}": value for name, value in state.items()}}, tmp_path / "w.pth")
    for name in ("w.safetensors", "w.pth"):
        read = read_weights(tmp_path / name)
        assert read.keys() == state.keys()
        assert torch.equal(read["conv1.weight"], state["conv1.weight"])


class Bomb:
    """Runs something when it is unpickled."""

    def __reduce__(self):
        return (print, ("run!",))


def test_bad_files(tmp_path, capsys):
    torch.save({"a": Bomb()}, tmp_path / "bomb.pth")
    torch.save({"a": "no tensor"}, tmp_path / "text.pth")
    (tmp_path / "torn.pth").write_bytes((tmp_path / "text.pth").read_bytes()[:50])
    (tmp_path / "torn.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    (tmp_path / "empty.pth").write_bytes(b"")
    for name in ("bomb.pth", "text.pth", "torn.pth", "torn.safetensors", "empty.pth", "absent.pth", "no.safetensors"):
        with pytest.raises(WeightsDiffer):
            read_weights(tmp_path / name)
    assert "run!" not in capsys.readouterr().out


def test_every_architecture_is_tested():
    assert list(backbones.Architecture.__args__) == ARCHITECTURES


@pytest.mark.parametrize("architecture", ["resnet18", "resnet50"])
def test_no_strided_pointwise_convolution_reaches_the_kernel_that_writes_past_its_buffer(architecture):
    """oneDNN's bfloat16 backward pass of that form corrupts memory; see layers/resnet.py."""
    with torch.device("meta"):
        network = full(architecture)
    strided = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d) and m.kernel_size == (1, 1) != m.stride]
    assert strided
    assert all(type(module).forward is not torch.nn.Conv2d.forward for module in strided)


def test_a_strided_pointwise_convolution_is_the_textbook_one():
    torch.manual_seed(0)
    ours = seeded(Blueprint("resnet18", 1, 16, 16, 8, (1, 1, 1, 1), 3, 1, False)).layer2[0].downsample[0]
    x = torch.randn(2, 8, 7, 6)
    torch.testing.assert_close(ours(x), torch.nn.functional.conv2d(x, ours.weight, stride=2))
