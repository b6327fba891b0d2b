"""The commands that bring releases somewhere: staging, promote, rollback."""

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
    find,
    tag_images,
)


def deploy_staging(command: Command, tag: str) -> str:
    """Build what is checked out, or take the images of a tag, and bring them to staging; then tag them as tested."""
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
    return _tagged(command, release, [f"{STAGING.passed_tag}-{commit}"])


def promote(command: Command, tag: str, version: str) -> str:
    """Bring the very images that passed staging's smoke test to production."""
    with command.report.phase("check"):
        if version and not VERSION.fullmatch(version):
            raise Refused(f"RELEASE={version} is no version: write it as v1.2.3")
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
    return _tagged(command, release, tags)


def rollback(command: Command, to: str) -> str:
    """Bring the last good release back, or the one that was named; a deployment under way is ended."""
    with command.report.phase("check"):
        state = require_app(command, find_deployable_state(command, while_deploying=True))
        target, commit = _target(command, state, to)
    named = commit[:SHORT] or target.id
    if command.dry_run:
        return f"would go back to {named}"
    command.confirm(f"Go back to {named} in {command.environment.name}")
    if state.in_progress:
        with command.report.phase("cancel"):
            command.delivery.cancel(state.in_progress.id)
        state = require_app(command, command.platform.find_state())
    if state.active and state.active.images == target.images and (not to or state.active.id == target.id):
        command.delivery.verify(commit)
        return f"{named} kept the traffic"
    command.delivery.roll_back(target, commit)
    return f"{named} is back in {command.environment.name}"


def _find_or_build(command: Command, commit: str, tag: str) -> Release | None:
    """Return the release of a commit, built when the registry has none; None when a dry run would build it."""
    repositories = list(command.repositories.values())
    release = find(command.registry, repositories, commit, "sha")
    if release:
        command.report.say(f"  the registry has sha-{commit} already")
        return release
    if tag:
        hint = f"check the commit out, and make deploy-staging without TAG: git checkout {commit}"
        raise Refused(f"{command.registry.prefix} has no images sha-{commit}: {hint}")
    if command.dry_run:
        return None
    build(command.system, command.report, command.registry, commit, command.repositories)
    command.report.facts["built"] = True
    release = find(command.registry, repositories, commit, "sha")
    if release is None:
        raise Refused(f"sha-{commit} was pushed to {command.registry.prefix}, which does not know it")
    return release


def _find_tested(command: Command, commit: str) -> Release:
    """Return the release that passed staging's smoke test. Raises Refused for any other."""
    repositories = list(command.repositories.values())
    needed = command.environment.required_tag
    release = find(command.registry, repositories, commit, needed)
    if release is None:
        raise Refused(f"{commit} is not tested: no {needed}-{commit} in the registry. make deploy-staging TAG={commit}")
    built = find(command.registry, repositories, commit, "sha")
    if built is None or built.images != release.images:
        raise Refused(f"{needed}-{commit} and sha-{commit} name different images: somebody moved a tag")
    return release


def _refuse_taken_tags(command: Command, release: Release, tags: list[str]) -> None:
    for tag in tags:
        for repository, digest in release.images.items():
            named = command.registry.digest(repository, tag)
            if named not in (None, digest):
                raise Refused(f"{command.registry.prefix}{repository}:{tag} is another release already: {named}")


def _tagged(command: Command, release: Release, tags: list[str]) -> str:
    with command.report.phase("tag"):
        for tag in tags:
            tag_images(command.registry, release, tag)
    return f"{release.git_sha[:SHORT]} runs in {command.environment.name}, tagged {', '.join(tags)}"


def _target(command: Command, state: State, to: str) -> tuple[Deployment, str]:
    """Return what to go back to, and its commit. Raises Refused when there is nothing."""
    if to:
        target: Deployment | None = _named(command, to)
    else:
        # Ending what is under way is going back.
        target = state.active if state.in_progress else command.delivery.find_last_good()
    if target is None:
        hint = "name one yourself with TO=<commit>; see: make status"
        raise Refused(f"No earlier release of {command.environment.name} ever passed its smoke test: {hint}")
    return target, commit_of_images(command.registry, target.images)


def _named(command: Command, to: str) -> Deployment:
    """Return the deployment, or the release, that a person named. Raises Refused."""
    history = command.platform.history()
    by_id = next((deployment for deployment in history if deployment.id == to), None)
    if by_id:
        return by_id
    commit = commit_of(to, command.system)
    for deployment in history:
        if commit_of_images(command.registry, deployment.images).startswith(commit):
            return deployment
    gives = command.environment.passed_tag
    release = find(command.registry, list(command.repositories.values()), commit, gives)
    if release is None:
        raise Refused(f"TO={to} never ran well in {command.environment.name}: no {gives}-{commit} in the registry")
    return Deployment("", release.images)
