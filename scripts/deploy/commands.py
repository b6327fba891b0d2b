"""The commands that deploy: staging, promote, rollback."""

from scripts.deploy.command import Command, find_deployable_state, make_plan, require_app
from scripts.deploy.environments import STAGING
from scripts.deploy.errors import Refused
from scripts.deploy.platform import Deployment, State
from scripts.deploy.releases import (
    SHORT,
    VERSION,
    Release,
    build,
    checked_out_commit,
    commit_of,
    commit_of_images,
    find_release,
    tag_images,
)


def deploy_staging(command: Command, tag: str) -> str:
    """Build the checked-out commit, or use the images of a tag, deploy them to staging and tag them as tested."""
    with command.report.phase("check"):
        commit = commit_of(tag, command.system) if tag else checked_out_commit(command.system)
        state = find_deployable_state(command)
    with command.report.phase("build"):
        release = _find_or_build(command, commit, tag)
    if release is None:
        return f"would build sha-{commit} and deploy it to staging"
    plan = make_plan(command, release, state)
    if command.dry_run:
        return f"would deploy {commit} to staging"
    command.delivery.deploy(plan, release.git_sha, state or State(""))
    return _tag_release(command, release, [f"{STAGING.passed_tag}-{commit}"])


def promote(command: Command, tag: str, version: str) -> str:
    """Deploy exactly the images that passed staging's smoke test to production."""
    with command.report.phase("check"):
        if version and not VERSION.fullmatch(version):
            raise Refused(f"RELEASE={version} is not a version: write it as v1.2.3")
        commit = commit_of(tag, command.system)
        release = _find_tested(command, commit)
        tags = [f"{command.environment.passed_tag}-{commit}", *([version] if version else [])]
        _refuse_taken_tags(command, release, tags)
        state = find_deployable_state(command)
    plan = make_plan(command, release, state)
    if command.dry_run:
        return f"would promote {commit} to production"
    command.confirm(f"Promote {commit} to production")
    command.delivery.deploy(plan, release.git_sha, state or State(""))
    return _tag_release(command, release, tags)


def rollback(command: Command, to: str) -> str:
    """Roll back to the last good release, or to the given one; a deployment in progress is cancelled."""
    with command.report.phase("check"):
        state = require_app(command, find_deployable_state(command, while_deploying=True))
        target, commit = _rollback_target(command, state, to)
    name = commit[:SHORT] or target.id
    if command.dry_run:
        return f"would roll back to {name}"
    command.confirm(f"Roll back to {name} in {command.environment.name}")
    if state.in_progress:
        with command.report.phase("cancel"):
            command.delivery.cancel(state.in_progress.id)
        state = require_app(command, command.platform.find_state())
    if state.active and state.active.images == target.images and (not to or state.active.id == target.id):
        command.delivery.verify(commit)
        return f"{name} stays live"
    command.delivery.roll_back(target, commit)
    return f"{name} is live again in {command.environment.name}"


def _find_or_build(command: Command, commit: str, tag: str) -> Release | None:
    """Return the release of a commit, built if the registry has none; None when a dry run would build it."""
    repositories = list(command.repositories.values())
    release = find_release(command.registry, repositories, commit, "sha")
    if release:
        command.report.say(f"  the registry already has sha-{commit}")
        return release
    if tag:
        hint = f"check out the commit and run make deploy-staging without TAG: git checkout {commit}"
        raise Refused(f"{command.registry.prefix} has no images sha-{commit}: {hint}")
    if command.dry_run:
        return None
    build(command.system, command.report, command.registry, commit, command.repositories)
    command.report.facts["built"] = True
    release = find_release(command.registry, repositories, commit, "sha")
    if release is None:
        raise Refused(f"sha-{commit} was pushed to {command.registry.prefix}, but the registry does not have it")
    return release


def _find_tested(command: Command, commit: str) -> Release:
    repositories = list(command.repositories.values())
    needed = command.environment.required_tag
    release = find_release(command.registry, repositories, commit, needed)
    if release is None:
        hint = f"make deploy-staging TAG={commit}"
        raise Refused(f"{commit} is not tested: no {needed}-{commit} in the registry. Run: {hint}")
    built = find_release(command.registry, repositories, commit, "sha")
    if built is None or built.images != release.images:
        raise Refused(f"{needed}-{commit} and sha-{commit} name different images: a tag was moved")
    return release


def _refuse_taken_tags(command: Command, release: Release, tags: list[str]) -> None:
    for tag in tags:
        for repository, digest in release.images.items():
            tagged = command.registry.digest(repository, tag)
            if tagged not in (None, digest):
                raise Refused(f"{command.registry.prefix}{repository}:{tag} is already another release: {tagged}")


def _tag_release(command: Command, release: Release, tags: list[str]) -> str:
    with command.report.phase("tag"):
        for tag in tags:
            tag_images(command.registry, release, tag)
    return f"{release.git_sha[:SHORT]} runs in {command.environment.name}, tagged {', '.join(tags)}"


def _rollback_target(command: Command, state: State, to: str) -> tuple[Deployment, str]:
    """Return the deployment to roll back to, and its commit. Raises Refused when there is none."""
    if to:
        target: Deployment | None = _find_target(command, to)
    else:
        # With a deployment in progress, the rollback is to cancel it.
        target = state.active if state.in_progress else command.delivery.find_last_good()
    if target is None:
        hint = "choose one with TO=<commit>; see: make status"
        raise Refused(f"No earlier release of {command.environment.name} passed its smoke test: {hint}")
    return target, commit_of_images(command.registry, target.images)


def _find_target(command: Command, to: str) -> Deployment:
    history = command.platform.history()
    by_id = next((deployment for deployment in history if deployment.id == to), None)
    if by_id:
        return by_id
    commit = commit_of(to, command.system)
    for deployment in history:
        if commit_of_images(command.registry, deployment.images).startswith(commit):
            return deployment
    environment = command.environment
    kind = environment.passed_tag
    release = find_release(command.registry, list(command.repositories.values()), commit, kind)
    if release is None:
        missing = f"no {kind}-{commit} in the registry"
        raise Refused(f"TO={to} never passed its smoke test in {environment.name}: {missing}")
    return Deployment("", release.images)
