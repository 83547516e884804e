"""Every point of every chain is drawn; several networks stand in panels."""

from heldout.figures.posterior_chains import posterior_chains


def rows(members: int) -> list[dict[str, object]]:
    return [
        {"label": f"step {m}", "chain": c, "draw": d, "value": 1.0 * d}
        for m in range(members)
        for c in range(2)
        for d in range(3)
    ]


def test_every_draw_is_there() -> None:
    chart = posterior_chains(rows(1)).to_dict()
    assert chart["data"]["values"] == rows(1)
    assert chart["encoding"]["color"]["field"] == "chain"


def test_networks_have_panels() -> None:
    facet = posterior_chains(rows(12)).to_dict()["facet"]
    assert facet["field"] == "label"
    assert facet["sort"] == [f"step {m}" for m in range(12)]  # as they were given, and not by letter
