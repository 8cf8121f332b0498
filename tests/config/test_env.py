"""Is the environment read as it was meant, and a bad value refused without being repeated?"""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env

NAME = "SEALCAST_TEST_VALUE"


@pytest.mark.parametrize("text", ["1", "true", "TRUE", "yes", " on "])
def test_flags_that_are_on(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(NAME, text)
    assert env.flag(NAME)


@pytest.mark.parametrize("text", ["0", "false", "no", "off", ""])
def test_flags_that_are_off(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(NAME, text)
    assert not env.flag(NAME, default=True)


def test_a_flag_that_is_not_set_has_its_default() -> None:
    assert env.flag(NAME, default=True)
    assert not env.flag(NAME)


@pytest.mark.parametrize("reader", [env.flag, lambda name: env.whole(name, 1)])
def test_a_bad_value_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, reader: "object"
) -> None:
    monkeypatch.setenv(NAME, "s3cret-in-the-wrong-place")
    assert callable(reader)
    with pytest.raises(ImproperlyConfigured) as refused:
        reader(NAME)
    assert NAME in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_whole_numbers_and_words(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.whole(NAME, 7) == 7
    monkeypatch.setenv(NAME, "12")
    assert env.whole(NAME, 7) == 12
    monkeypatch.setenv(NAME, " a.example, ,b.example ")
    assert env.words(NAME) == ["a.example", "b.example"]


def test_a_secret_comes_from_the_variable_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "own").write_text("from set-up\n")
    (tmp_path / "mounted").write_text("from the mounted file\n")
    assert env.secret(NAME, file=tmp_path / "own") == "from set-up"
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "mounted"))
    assert env.secret(NAME, file=tmp_path / "own") == "from the mounted file"
    monkeypatch.setenv(NAME, "from the variable")
    assert env.secret(NAME, file=tmp_path / "own") == "from the variable"


def test_a_secret_that_is_nowhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="make run"):
        env.secret(NAME, file=tmp_path / "own")


def test_no_address_means_sqlite_with_its_guards(tmp_path: Path) -> None:
    found = env.database(NAME, sqlite_file=tmp_path / "db.sqlite3")
    assert found["NAME"] == tmp_path / "db.sqlite3"
    options = found["OPTIONS"]
    assert isinstance(options, dict)
    assert options["transaction_mode"] == "IMMEDIATE"
    for guard in ("journal_mode=WAL", "secure_delete=ON", "foreign_keys=ON"):
        assert guard in options["init_command"]


def test_a_postgres_address_is_read_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(NAME, "postgresql://us%40er:p%2Fw@db.example:6432/sealcast")
    found = env.database(NAME, sqlite_file=tmp_path / "x")
    wanted = ("sealcast", "us@er", "p/w", "db.example", "6432")
    assert tuple(found[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")) == wanted


@pytest.mark.parametrize(
    ("address", "mode"),
    [
        ("postgres://u@db.example/x", "verify-full"),
        ("postgres://u@db.example/x?sslmode=require", "require"),
        ("postgres://u@127.0.0.1/x", None),
        ("postgres://u@/x?host=/run/postgresql", None),
    ],
)
def test_a_wire_that_leaves_this_machine_is_verified(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str, mode: str | None
) -> None:
    monkeypatch.setenv(NAME, address)
    options = env.database(NAME, sqlite_file=tmp_path / "x")["OPTIONS"]
    assert isinstance(options, dict)
    assert options.get("sslmode") == mode


def test_an_address_of_another_kind_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(NAME, "mysql://u:hidden@h/x")
    with pytest.raises(ImproperlyConfigured) as refused:
        env.database(NAME, sqlite_file=tmp_path / "x")
    assert "hidden" not in str(refused.value)


def test_a_table_is_read_from_the_file_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert env.table(NAME) == {}
    (tmp_path / "facts.toml").write_text("[zoho]\npkce = false\n")
    monkeypatch.setenv(NAME, str(tmp_path / "facts.toml"))
    assert env.table(NAME) == {"zoho": {"pkce": False}}


@pytest.mark.parametrize("content", [None, "pkce = false", "[zoho", "\0"])
def test_a_table_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "facts.toml").write_text(content)
    monkeypatch.setenv(NAME, str(tmp_path / "facts.toml"))
    with pytest.raises(ImproperlyConfigured):
        env.table(NAME)
