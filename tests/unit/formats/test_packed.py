"""Arrays as bytes and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from polyclinic.errors import EvidenceError
from polyclinic.formats.packed import nothing, pack, pack_all, unpack


@given(
    arrays.arrays(
        st.sampled_from([np.uint8, np.int32, np.float32, np.float64, np.bool_]),
        arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    )
)
def test_what_was_packed_comes_back(array):
    back = unpack(pack(array))
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    np.testing.assert_array_equal(back, array)


def test_byte_order_and_layout_do_not_matter():
    array = np.arange(6, dtype=np.int32).reshape(2, 3)
    assert pack(array) == pack(array.astype(">i4")) == pack(np.asfortranarray(array))


def test_a_mask_takes_little_room():
    assert len(pack(np.zeros((100, 100, 100), dtype=np.uint8))) < 3000


def test_one_entry_per_sample():
    packed = pack_all([np.zeros(2), np.ones((1, 3))])
    assert packed.shape == (2,)
    assert unpack(packed[1]).shape == (1, 3)
    assert nothing(3).tolist() == [b"", b"", b""]


@pytest.mark.parametrize(
    "content",
    [b"", b"PCA1", b"nothing of the sort", pack(np.arange(9))[:-4], b"PCA1\xff\xff\xff\xff" + pack(np.ones(2))[8:]],
)
def test_damaged_bytes_are_told(content):
    with pytest.raises(EvidenceError, match="damaged"):
        unpack(content)


def test_a_shape_that_does_not_fit_is_told():
    broken = pack(np.arange(6)).replace(b'"shape": [6]', b'"shape": [7]')
    with pytest.raises(EvidenceError):
        unpack(broken)
