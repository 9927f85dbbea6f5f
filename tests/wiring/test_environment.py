"""What is read from the environment is right or refused in a sentence; secrets are made once."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from exportui import environment


def test_a_secret_is_made_once_and_read_by_everybody_after(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert environment.made_once(path, make=lambda: "first") == "first"
    assert environment.made_once(path, make=lambda: "second") == "first"


def test_a_made_secret_is_readable_by_its_owner_alone_and_leaves_no_draft(tmp_path: Path) -> None:
    environment.made_once(tmp_path / "key", make=lambda: "first")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["key"]


def test_processes_that_start_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = pool.map(
            lambda n: environment.made_once(tmp_path / "key", make=lambda: f"secret-{n}"), range(64)
        )
    assert len(set(made)) == 1


def test_a_given_secret_is_taken_and_no_file_is_made(tmp_path: Path) -> None:
    given = environment.secret("K", "mine", path=tmp_path / "key", make=lambda: "made", required=True)
    assert given == "mine"
    assert not (tmp_path / "key").exists()


def test_a_required_secret_that_is_missing_is_named_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY must be set"):
        environment.secret("SECRET_KEY", "", path=tmp_path / "key", make=lambda: "made", required=True)
    assert not (tmp_path / "key").exists()


def test_the_data_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    made = environment.data_dir(str(tmp_path / "a" / "b"))
    assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_a_data_directory_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ImproperlyConfigured, match="cannot be made"):
        environment.data_dir(str(tmp_path / "file" / "sub"))


@pytest.mark.parametrize(
    "url", ["exports.example.com", "ftp://example.com", "https://example.com/path", "https://"]
)
def test_a_public_url_that_is_no_origin_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="EXPORTUI_PUBLIC_URL"):
        environment.origin("EXPORTUI_PUBLIC_URL", url)


def test_a_public_url_loses_its_last_slash() -> None:
    assert environment.origin("X", "https://exports.example.com:8443/") == "https://exports.example.com:8443"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "", "europe berlin"])
def test_a_time_zone_that_does_not_exist_is_refused(zone: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="no time zone"):
        environment.time_zone("EXPORTUI_TIME_ZONE", zone)


def test_sqlite_writes_wait_for_each_other_instead_of_failing() -> None:
    config = environment.database("sqlite:////data/x.sqlite3")
    assert config["NAME"] == "/data/x.sqlite3"
    assert config["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in config["OPTIONS"]["init_command"]


def test_postgresql_connections_come_from_a_pool_and_keep_their_other_options() -> None:
    config = environment.database("postgres://u:p%40ss@db:5433/exports?sslmode=require")
    assert (config["HOST"], config["PORT"], config["NAME"], config["PASSWORD"]) == (
        "db",
        5433,
        "exports",
        "p@ss",
    )
    assert config["OPTIONS"]["sslmode"] == "require"
    assert config["OPTIONS"]["pool"]["max_size"] > 8
    assert config["CONN_MAX_AGE"] == 0


@pytest.mark.parametrize(
    "url", ["postgres://u@%2Frun%2FPg/x", "postgres://u@//run/Pg/x", "postgres://u@%2frun%2fPg:/x"]
)
def test_postgresql_is_reached_through_a_unix_socket_as_well(url: str) -> None:
    config = environment.database(url)
    assert (config["HOST"], config["USER"], config["NAME"]) == ("/run/Pg", "u", "x")


@pytest.mark.parametrize("url", ["mysql://u:p@db/x", "nonsense", "http://example.com/x"])
def test_another_database_is_refused_without_showing_its_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL") as refusal:
        environment.database(url)
    assert "u:p" not in str(refusal.value)


def test_no_redis_url_means_the_embedded_socket_for_both_libraries() -> None:
    url = environment.redis_url("", socket=Path("/data/valkey.sock"))
    assert url == "unix:///data/valkey.sock?db=0"
    assert environment.broker_url(url) == "redis+socket:///data/valkey.sock?virtual_host=0"


def test_a_redis_url_is_the_brokers_address_as_it_is() -> None:
    assert environment.broker_url("rediss://:pw@cache:6380/2") == "rediss://:pw@cache:6380/2"


def test_another_broker_is_refused_without_showing_its_password() -> None:
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL") as refusal:
        environment.redis_url("amqp://u:secret@mq//", socket=Path("/s"))
    assert "secret" not in str(refusal.value)


def test_an_empty_data_directory_is_refused_and_does_not_mean_here() -> None:
    with pytest.raises(ImproperlyConfigured, match="EXPORTUI_DATA_DIR is empty"):
        environment.data_dir(" ")
