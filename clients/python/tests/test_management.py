from __future__ import annotations

import pytest
from rawserver import RawServer, answer
from stack import LLM, SLASHED, SLOW, SPARE, Stack, wait_until
from twin import MakeClient

from fluidmcp import BadRequestError, ConflictError, FluidMCPClient, NotFoundError


def test_models(client: FluidMCPClient) -> None:
    answer = client.models()
    assert answer["object"] == "list"
    assert {card["id"]: card["phase"] for card in answer["data"]} == dict.fromkeys([LLM, SLOW, SPARE, SLASHED], "ready")


def test_status(client: FluidMCPClient) -> None:
    overview = client.status()
    assert overview["status"] == "ok"
    assert overview["models"] == {"ready": 4, "total": 4}


@pytest.mark.parametrize("model", [LLM, SLASHED])
def test_model(client: FluidMCPClient, model: str) -> None:
    status = client.model(model)
    assert (status["id"], status["phase"], status["desired"]) == (model, "ready", "running")
    assert client.health_check(model)["healthy"]


def test_stop_and_start(client: FluidMCPClient, stack: Stack) -> None:
    assert client.stop(SPARE)["desired"] == "stopped"
    assert stack.wait_phase(SPARE, "stopped")["desired"] == "stopped"
    assert client.status()["models"]["ready"] == 3
    assert not client.health_check(SPARE)["healthy"]
    assert client.start(SPARE)["desired"] == "running"
    stack.wait_phase(SPARE, "ready")


def test_restart(client: FluidMCPClient, stack: Stack) -> None:
    before = client.model(SPARE)
    client.restart(SPARE)

    stack.wait_restarts(SPARE, before["restarts"] + 1)
    wait_until(lambda: bool(stack.model(SPARE)["rollout"]["state"] == "done"), "the restart is over")
    after = stack.wait_phase(SPARE, "ready")
    assert after["instances"][0]["pid"] != before["instances"][0]["pid"]


@pytest.mark.parametrize(("force", "query"), [(False, ""), (True, "?force=true")])
def test_forced_restart(make_client: MakeClient, force: bool, query: str) -> None:
    with RawServer(answer("202 Accepted", "{}")) as server:
        make_client(server.url).restart("m", force=force)
    assert server.heads[0].startswith(f"POST /api/llm/models/m/restart{query} HTTP/1.1")


def test_logs(client: FluidMCPClient) -> None:
    assert "Application startup complete." in client.logs(LLM, lines=10_000)
    assert len(client.logs(LLM, lines=1).splitlines()) == 1
    with pytest.raises(BadRequestError) as raised:
        client.logs(LLM, lines=0)
    assert (raised.value.code, raised.value.param) == ("invalid_lines", "lines")


def test_what_an_external_model_cannot(client: FluidMCPClient) -> None:
    for refused in (client.restart, client.logs):
        with pytest.raises(ConflictError) as raised:
            refused(SLASHED)
        assert raised.value.code == "not_supported"


def test_an_unknown_model(client: FluidMCPClient) -> None:
    for refused in (client.model, client.start, client.stop, client.restart, client.health_check, client.logs):
        with pytest.raises(NotFoundError, match="nobody/at-all"):
            refused("nobody/at-all")
