"""Is only what nobody confirms of an AI vendor corrected, and only by what can be used?"""

import pytest
from django.test import override_settings

from integrations import providers, vendors


def test_what_is_unconfirmed_is_corrected() -> None:
    facts = {"tavus": {"download_hosts": ["films.example.org"], "delete_query": "", "region": "eu"}}
    with override_settings(PROVIDER_FACTS=facts):
        row = vendors.get("tavus")
    assert (row.download_hosts, row.delete_query, row.region) == (("films.example.org",), "", "eu")


@pytest.mark.parametrize(
    ("slug", "fact"),
    [
        ("heygen", {"origin": "https://other.example.org"}),
        ("synthesia", {"residual_days": 0}),
        ("did", {"nothing": 1}),
        # One text is no list: "mux.com" would be found in it.
        ("tavus", {"download_hosts": "stream.mux.com"}),
        ("tavus", {"download_hosts": [""]}),
        ("tavus", {"download_hosts": [7]}),
        ("tavus", {"residual_days": "90"}),
        ("tavus", {"residual_days": -1}),
        ("tavus", {"residual_days": True}),
        ("did", {"longest_pause_ms": 0}),
        ("did", {"pause": "<break {length}>"}),
        ("did", {"pause": "{"}),
        ("did", {"pause": ""}),
        ("heygen", {"signature_header": ""}),
    ],
)
def test_what_cannot_be_corrected_stops_the_start(slug: str, fact: dict[str, object]) -> None:
    with override_settings(PROVIDER_FACTS={slug: fact}), pytest.raises(providers.UnknownFact):
        vendors.require_facts()


def test_both_tables_of_heygen_are_known() -> None:
    facts = {"heygen": {"region": "eu"}, "heygen_sign_in": {"test_path": "/x"}}
    with override_settings(PROVIDER_FACTS=facts):
        providers.require_facts(elsewhere=vendors.TABLE)
        vendors.require_facts()
        assert providers.get("heygen").test_path == "/x"


@pytest.mark.parametrize("row", vendors.TABLE.values(), ids=lambda row: row.slug)
def test_each_fact_has_a_name_and_each_host_is_one(row: vendors.VideoVendor) -> None:
    assert all(hasattr(row, name) for name in row.unconfirmed)
    assert providers.host_of(row.origin)
    assert all(providers.host_of(f"https://{host}") == host for host in row.download_hosts)
