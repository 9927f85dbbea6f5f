"""Look-ups read every page, whatever the pages do, and every odd entry."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from jobs.client.api import Client
from jobs.client.errors import PlatformError, Unreadable
from jobs.client.lookups import MergePolicy, SandboxInfo, read_dataset, read_merge_policy, read_segment
from tests.client.conftest import sample
from tests.client.wire import WireServer, reply, sends

ClientOf = Callable[..., Client]
Pages = Callable[[dict[str, str]], Any]


def serving(pages: Pages) -> WireServer:
    """A server that gives `pages` the query of each request and sends what it returns as JSON."""

    def answer(connection: socket.socket, number: int) -> None:
        target = server.received[-1].split(b" ")[1].decode()
        query = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
        connection.sendall(reply(json.dumps(pages(query)).encode()))

    server = WireServer(answer)
    return server


def window(of: Iterable[Any], query: dict[str, str], key: str = "start") -> list[Any]:
    start = int(query.get(key, "0"))
    return list(of)[start : start + int(query["limit"])]


def test_segments_are_read_to_the_last_page(client_of: ClientOf) -> None:
    stock = [{"id": f"S{number}", "name": f"Segment {number}"} for number in range(230)]
    with serving(lambda query: {"segments": window(stock, query), "page": {"totalCount": 230}}) as server:
        found = [segment.segment_id for segment in client_of(server.url).segments()]
    assert found == [segment["id"] for segment in stock]
    assert len(server.received) == 3


def test_a_server_that_gives_fewer_than_asked_for_is_read_to_the_end_too(client_of: ClientOf) -> None:
    names = [{"name": f"s{number}"} for number in range(25)]

    def pages(query: dict[str, str]) -> Any:
        return {"sandboxes": window(names, {**query, "limit": "10"}, "offset"), "_page": {"limit": 10}}

    with serving(pages) as server:
        assert len(client_of(server.url).sandboxes()) == 25
    assert len(server.received) == 3


def test_a_server_that_knows_no_paging_is_read_once_and_asked_once_more(
    client_of: ClientOf, caplog: pytest.LogCaptureFixture
) -> None:
    stock = [{"id": f"S{number}"} for number in range(150)]
    with serving(lambda query: {"segments": stock}) as server:
        assert len(list(client_of(server.url).segments())) == 150
    assert len(server.received) == 2
    assert "repeat" in caplog.text


def test_merge_policies_follow_the_opaque_start_and_stop_where_it_repeats(
    client_of: ClientOf, caplog: pytest.LogCaptureFixture
) -> None:
    def pages(query: dict[str, str]) -> Any:
        start = query.get("start", "a")
        following = {"a": "b+/=", "b+/=": "c", "c": "b+/="}[start]
        link = "@/mergePolicies?start=" + following.replace("+", "%2B").replace("/", "%2F").replace(
            "=", "%3D"
        )
        return {"children": [{"id": start, "default": "false"}], "_links": {"next": {"href": link}}}

    with serving(pages) as server:
        assert [policy.policy_id for policy in client_of(server.url).merge_policies()] == ["a", "b+/=", "c"]
    assert "repeat" in caplog.text


@pytest.mark.parametrize("links", [{"next": {"href": ""}}, {"next": {}}, {}, None])
def test_every_way_to_say_that_there_are_no_more_policies_ends_the_list(
    links: Any, client_of: ClientOf
) -> None:
    with serving(lambda query: {"children": [{"id": "M"}], "_links": links}) as server:
        assert len(client_of(server.url).merge_policies()) == 1
    assert len(server.received) == 1


def test_entries_without_an_id_are_left_out_and_the_others_kept(client_of: ClientOf) -> None:
    with serving(lambda query: {"segments": [None, 7, {}, {"id": ""}, {"id": 5}, {"id": "S"}]}) as server:
        assert [segment.segment_id for segment in client_of(server.url).segments()] == ["5", "S"]


@pytest.mark.parametrize(
    "body", [{}, [], {"D": {}}, {"D": None}, {"D": {"name": 7, "schemaRef": "x", "created": "y"}}]
)
def test_a_dataset_may_lack_everything(body: Any, client_of: ClientOf) -> None:
    with serving(lambda query: body) as server:
        client = client_of(server.url)
        if body and isinstance(body, dict):
            assert client.dataset("D").dataset_id == "D"
            assert not client.dataset("D").is_union
        else:
            with pytest.raises(Unreadable):
                client.dataset("D")


def test_a_daily_snapshot_export_is_known_as_the_platform_s_own() -> None:
    found = read_dataset("D", {"name": "Profile-Snapshot-Export-abc", "tags": {"unifiedProfile": ["x"]}})
    assert found is not None
    assert found.is_system


@pytest.mark.parametrize(
    ("body", "location", "dataset_id"),
    [
        (sample("dataset_created_reply"), "", "5b020a27e7040801dedba61b"),
        (["@/dataSets/D1"], "", "D1"),
        ({}, "Location: https://x/data/foundation/catalog/dataSets/D2\r\n", "D2"),
    ],
)
def test_the_id_of_a_new_dataset_is_the_end_of_its_reference(
    body: Any, location: str, dataset_id: str, client_of: ClientOf
) -> None:
    answer = sends(reply(json.dumps(body).encode(), status="201 Created", headers=location))
    with WireServer(answer) as server:
        assert client_of(server.url).create_dataset("n") == dataset_id


@pytest.mark.parametrize("body", [[], [7], ["/"], {}, None])
def test_a_new_dataset_without_a_reference_may_exist_all_the_same(body: Any, client_of: ClientOf) -> None:
    with (
        WireServer(sends(reply(json.dumps(body).encode()))) as server,
        pytest.raises(PlatformError) as caught,
    ):
        client_of(server.url).create_dataset("n")
    assert caught.value.maybe_received


def test_booleans_as_text_and_numbers_as_versions_are_read() -> None:
    raw = {
        "id": "M",
        "version": 1,
        "default": "false",
        "identityGraph": {"type": "pdg"},
        "attributeMerge": None,
    }
    assert read_merge_policy(raw) == MergePolicy("M", "", "1", False, "pdg", "")


@pytest.mark.parametrize(
    ("info", "evaluation"),
    [
        ({"batch": {"enabled": True}, "continuous": {"enabled": False}}, "batch"),
        ({"batch": {"enabled": True}, "continuous": {"enabled": "true"}}, "streaming"),
        ({"synchronous": {"enabled": True}}, "edge"),
        ({}, ""),
        ("x", ""),
    ],
)
def test_how_a_segment_is_evaluated_is_one_word(info: Any, evaluation: str) -> None:
    segment = read_segment({"id": "S", "evaluationInfo": info, "updateEpoch": 1575588309})
    assert segment is not None
    assert segment.evaluation == evaluation
    assert segment.updated_at is not None
    assert segment.updated_at.year == 2019


def test_a_sandbox_keeps_what_the_platform_calls_it(client_of: ClientOf) -> None:
    entry = {
        "name": "prod",
        "title": "<b>",
        "state": "active",
        "type": "production",
        "region": "VA7",
        "isDefault": True,
    }
    with serving(lambda query: {"sandboxes": [entry]}) as server:
        assert client_of(server.url).sandboxes() == [
            SandboxInfo("prod", "<b>", "production", "active", "VA7", is_default=True)
        ]


@pytest.mark.parametrize("body", [{}, None, "x", {"segments": None}, {"segments": {"a": {}}}])
def test_a_list_of_another_shape_is_unreadable(body: Any, client_of: ClientOf) -> None:
    with serving(lambda query: body) as server, pytest.raises(Unreadable, match="segment definitions"):
        list(client_of(server.url).segments())
