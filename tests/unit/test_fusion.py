import torch

from polyclinic.fusion import Fusion
from polyclinic.tensors import Encoded

WIDTH, ROWS = 16, 5


def encoded(tokens: int, seed: int, absent: tuple[int, ...] = (), members: int = 1) -> Encoded:
    noise = torch.Generator().manual_seed(seed)
    present = torch.ones(ROWS * members, tokens, dtype=torch.bool)
    for row in absent:
        present[row * members : (row + 1) * members] = False
    return Encoded(torch.randn(ROWS * members, tokens, WIDTH, generator=noise), present, members=members)


def fusion(*names: str) -> Fusion:
    torch.manual_seed(1)
    return Fusion(names, WIDTH, 0.0).eval()


def test_what_an_absent_input_holds_changes_nothing():
    fuse = fusion("film", "blood")
    film, blood = encoded(3, 1, absent=(2,)), encoded(2, 2)
    other = Encoded(torch.where(film.present[:, :, None], film.tokens, 1e6), film.present)
    first, second = (fuse({"film": one, "blood": blood}).summary for one in (film, other))
    torch.testing.assert_close(first, second)


def test_a_patient_who_lacks_an_input_does_not_change_the_others():
    fuse = fusion("film", "blood")
    blood = encoded(2, 2)
    whole = fuse({"film": encoded(3, 1), "blood": blood}).summary
    lacking = fuse({"film": encoded(3, 1, absent=(2,)), "blood": blood}).summary
    others = [0, 1, 3, 4]
    torch.testing.assert_close(whole[others], lacking[others])
    assert not torch.allclose(whole[2], lacking[2])


def test_attention_sums_to_one_over_what_is_present():
    fused = fusion("film", "blood")({"film": encoded(3, 1, absent=(2,)), "blood": encoded(2, 2)})
    torch.testing.assert_close(fused.weights.sum(dim=1), torch.ones(ROWS))
    assert (fused.weights[~fused.present] == 0).all()


def test_a_patient_without_any_input_gets_a_vector_of_its_own_and_finite_gradients():
    fuse = fusion("film", "blood").train()
    fused = fuse({"film": encoded(3, 1, absent=(2,)), "blood": encoded(2, 2, absent=(2,))})
    torch.testing.assert_close(fused.summary[2, 0], fuse.nobody)
    fused.summary.square().sum().backward()
    assert all(torch.isfinite(weight.grad).all() for weight in fuse.parameters() if weight.grad is not None)


def test_an_input_with_fewer_members_is_seen_by_all():
    fused = fusion("blood", "film")({"blood": encoded(1, 1, members=4), "film": encoded(2, 2)})
    assert fused.summary.shape == (ROWS, 4, WIDTH)
    assert fused.tokens.shape == (ROWS * 4, 3, WIDTH)


def test_names_that_torch_uses_itself_may_be_names_of_inputs():
    fused = fusion("values", "type")({"values": encoded(1, 1), "type": encoded(1, 2)})
    assert fused.summary.shape == (ROWS, 1, WIDTH)
