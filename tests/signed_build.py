"""What a tool gets when an earlier phase was signed off at a commit: for tests that measure two builds."""

from __future__ import annotations

from dataclasses import replace

from judging import signed
from projects import Project, environment

from gates.config.load import load_configuration
from gates.engine import Event, Setting, make_context
from gates.plan import make_plan
from gates.tools.base import Context


def context_beside(project: Project, commit: str, events: list[Event] | None = None) -> Context:
    """Return the context of the first gate of a project whose phase `one` was signed off at a commit."""
    configuration = load_configuration(project.root / "gates.toml")
    plan = make_plan(configuration, signed=["one"])
    setting = Setting(
        configuration, project.root, project.root / ".gates" / "runs" / "now", configuration.policy(plan.phase),
        commit, replace(signed("one").run, commit=commit),
    )  # fmt: skip
    context = make_context(plan.gates[0], plan, setting, (events if events is not None else []).append)
    kept = environment()
    return replace(context, env={name: text for name, text in context.env.items() if name in kept or name == "PATH"})
