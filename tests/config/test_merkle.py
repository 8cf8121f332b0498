"""Are roots and paths those of RFC 6962, and does no other path hold?"""

import pytest

from config.lib import merkle

# The leaves and roots of the reference implementation of Certificate Transparency.
LEAVES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PLACES = [(count, index) for count in range(1, 9) for index in range(count)]


@pytest.mark.parametrize("count", range(1, 9))
def test_roots_are_the_known_ones(count: int) -> None:
    assert merkle.root(LEAVES[:count]) == ROOTS[count - 1]


@pytest.mark.parametrize(("count", "index"), PLACES)
def test_each_path_leads_to_the_root(count: int, index: int) -> None:
    path = merkle.path(LEAVES[:count], index)
    assert merkle.holds(
        value=LEAVES[index], index=index, count=count, path=path, root=ROOTS[count - 1]
    )


@pytest.mark.parametrize(("count", "index"), PLACES)
def test_a_path_holds_for_its_own_leaf_place_and_tree_only(count: int, index: int) -> None:
    path, root = merkle.path(LEAVES[:count], index), ROOTS[count - 1]
    for value in (*LEAVES[:index], *LEAVES[index + 1 :]):
        assert not merkle.holds(value=value, index=index, count=count, path=path, root=root)
    for other in range(count):
        if other != index:
            assert not merkle.holds(
                value=LEAVES[index], index=other, count=count, path=path, root=root
            )
    for other_root in (*ROOTS[: count - 1], *ROOTS[count:]):
        assert not merkle.holds(
            value=LEAVES[index], index=index, count=count, path=path, root=other_root
        )


@pytest.mark.parametrize(("count", "index"), [(5, -1), (5, 5), (0, 0)])
def test_a_place_outside_of_the_tree_does_not_hold(count: int, index: int) -> None:
    assert not merkle.holds(value="00", index=index, count=count, path=[], root=ROOTS[0])


def test_a_path_too_long_or_too_short_does_not_hold() -> None:
    path = merkle.path(LEAVES, 3)
    for wrong in (path[:-1], [*path, path[0]], path[1:], []):
        assert not merkle.holds(value=LEAVES[3], index=3, count=8, path=wrong, root=ROOTS[7])


def test_a_node_is_not_taken_for_a_leaf() -> None:
    node = merkle.root(LEAVES[:2])
    assert merkle.root([node]) != node
