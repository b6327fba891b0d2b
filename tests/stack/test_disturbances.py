"""What people notice while the stack is updated, and while its parts are restarted or killed."""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable

import pytest

from scripts.stack.docker import docker
from tests.stack.door import open_door
from tests.stack.load import HANG_SECONDS, Load, Phase, print_table
from tests.stack.production import Production

STEADY_SECONDS = 8
RECOVERY_SECONDS = 10
ALL_JOBS_SECONDS = 240


@pytest.mark.timeout(1500)
def test_no_job_is_lost_whatever_is_restarted_or_killed(
    site: Production, second_release: str, broken_release: str
) -> None:
    asyncio.run(_disturb_everything(site, second_release, broken_release))


async def _disturb_everything(site: Production, second_release: str, broken_release: str) -> None:
    load = Load(lambda: open_door(site, timeout=HANG_SECONDS))
    async with load.running():
        await asyncio.sleep(STEADY_SECONDS)
        update = load.begin("make stack-update")
        result = await asyncio.to_thread(site.run, "update", second_release)
        assert result.returncode == 0, result.stdout + result.stderr
        print(f"\n{result.stdout}")
        broken = load.begin("update to a release that can't start")
        result = await asyncio.to_thread(site.run, "update", broken_release)
        print(f"\n{result.stdout}\n{result.stderr[-3000:]}")
        assert result.returncode == 1
        assert "No module named 'backend.main'" in result.stderr
        changed = load.begin("make stack-up, settings changed")
        await asyncio.to_thread(_change_a_setting, site)
        valkey = await _during(load, "restart of Valkey", _restart(site, "valkey"))
        postgres = await _during(load, "restart of PostgreSQL", _restart(site, "postgres"))
        worker = await _during(load, "kill -9 of a worker", _kill(site, "worker"))
        web = await _during(load, "kill -9 of a web container", _kill(site, "web"))
        await load.stop()
        lost = await load.lost(ALL_JOBS_SECONDS)
    print_table(load, lost)
    assert [phase.name for phase in load.phases if lost[phase.name]] == []
    assert [phase for phase in (load.phases[0], update, broken, changed) if phase.failures or phase.refusals] == []
    assert [phase for phase in (valkey, postgres, worker) if phase.failures] == []
    assert valkey.refusals == worker.refusals == []
    # What the killed container was working on is gone with it; nothing else is.
    assert len(web.failures) <= 9
    assert sum(len(phase.accepted) for phase in load.phases) > 20


def _change_a_setting(site: Production) -> None:
    lasting = _ids(site, "edge", "postgres", "valkey")
    with (site.stack.folder / "settings.env").open("a") as file:
        file.write("APP_NAME=Another name\n")
    result = site.run("up")
    assert result.returncode == 0, result.stdout + result.stderr
    for service in ("web", "worker", "beat"):
        for one in site.containers(service):
            assert docker("exec", one.id, "printenv", "APP_NAME").strip() == "Another name"
    assert _ids(site, "edge", "postgres", "valkey") == lasting
    replaced = _ids(site, "web", "frontend", "worker", "beat")
    result = site.run("up")
    assert result.returncode == 0, result.stdout + result.stderr
    assert _ids(site, "web", "frontend", "worker", "beat") == replaced


def _ids(site: Production, *services: str) -> list[str]:
    return [one.id for service in services for one in site.containers(service)]


async def _during(load: Load, name: str, disturb: Callable[[], Awaitable[None]]) -> Phase:
    phase = load.begin(name)
    await disturb()
    await asyncio.sleep(RECOVERY_SECONDS)
    return phase


def _restart(site: Production, service: str) -> Callable[[], Awaitable[None]]:
    async def restart() -> None:
        (container,) = site.containers(service)
        await asyncio.to_thread(docker, "restart", container.id)

    return restart


def _kill(site: Production, service: str) -> Callable[[], Awaitable[None]]:
    """Kill all processes of one container, as the kernel does when memory is short; Docker starts it again."""

    async def kill() -> None:
        pid = docker("inspect", "--format", "{{.State.Pid}}", site.containers(service)[0].id).strip()
        await asyncio.to_thread(subprocess.run, ["kill", "-9", pid], check=True)

    return kill
