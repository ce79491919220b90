"""Finds plugins, keeps broken ones from harming the rest, and says where every name comes from."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

import pluggy

from benchctl import hookspecs
from benchctl.errors import BenchctlError, PluginError, UnknownName, blamed, did_you_mean

if TYPE_CHECKING:
    import click

GROUP = "benchctl"
REGISTRIES = {
    "task": "benchctl_tasks",
    "model": "benchctl_models",
    "metric": "benchctl_metrics",
    "trainer": "benchctl_trainers",
    "reference": "benchctl_reference_scores",
}
"""Kind of thing -> the hook that offers it."""


@dataclass(slots=True)
class PluginInfo:
    """One entry point and how its loading went."""

    name: str
    module: str
    distribution: str
    version: str
    hooks: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)

    @property
    def builtin(self) -> bool:
        """Whether it ships with benchctl."""
        return self.distribution == "benchctl"


@dataclass(frozen=True, slots=True)
class Offer:
    """One name that a plugin offers."""

    name: str
    factory: Callable[..., Any]
    plugin: PluginInfo

    @property
    def takes_arguments(self) -> bool:
        """Whether what the factory makes depends on what is written behind the name."""
        from inspect import signature

        return bool(signature(self.factory).parameters)

    @property
    def needs_arguments(self) -> bool:
        """Whether the factory cannot do without them, be they empty."""
        from inspect import signature

        try:
            found = signature(self.factory).parameters.values()
        except (TypeError, ValueError):  # nothing that can be called, or not written in Python: calling it will tell
            return False
        return any(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in found)

    @property
    def summary(self) -> str:
        """First line of the factory's own description."""
        described = getattr(self.factory, "summary", None) or getattr(self.factory, "__doc__", None) or ""
        return str(described).strip().split("\n")[0]


class Plugins:
    """All loaded plugins and what they offer. Built-ins come first, then others by name."""

    def __init__(self, found: list[EntryPoint]) -> None:
        self.manager = pluggy.PluginManager("benchctl")
        self.manager.add_hookspecs(hookspecs)
        self.infos: list[PluginInfo] = []
        blocked = set(os.environ.get("BENCHCTL_BLOCK_PLUGINS", "").split(","))
        for entry in sorted(found, key=lambda e: (_distribution(e) != "benchctl", e.name, e.value)):
            if entry.name not in blocked:
                self._load(entry)
        self._registries = {kind: self._collect(kind, hook) for kind, hook in REGISTRIES.items()}

    @property
    def problems(self) -> list[str]:
        """One line per thing that is wrong with some plugin."""
        return [f"plugin '{info.name}' ({info.distribution}): {p}" for info in self.infos for p in info.problems]

    def offers(self, kind: str) -> Mapping[str, Offer]:
        """Everything of a kind (a key of :data:`REGISTRIES`), by name."""
        return self._registries[kind]

    def find(self, kind: str, name: str) -> Offer:
        """The offer called ``name``.

        Raises:
            UnknownName: there is none; with did-you-mean, and with the plugins that failed and may have had it.
        """
        offers = self._registries[kind]
        if name not in offers:
            error = UnknownName(kind, name, offers, f"benchctl list {kind}s")
            failed = [f"plugin '{info.name}' {info.problems[0]}" for info in self.infos if info.problems]
            if failed:
                error.hint += f" Note: {'; '.join(failed)}."
            raise error
        return offers[name]

    def create(self, kind: str, name: str, *args: Any) -> Any:
        """Make the thing called ``name``.

        Raises:
            UnknownName: nobody offers it; with did-you-mean.
            PluginError: somebody's plugin failed to make it.
        """
        offer = self.find(kind, name)
        if offer.plugin.builtin:
            return offer.factory(*args)  # a bug of ours is shown whole
        said = f"The {kind} '{name}' of plugin '{offer.plugin.name}' cannot be made"
        with blamed(said, "Check what was given to it, else tell its author."):
            return offer.factory(*args)

    def _load(self, entry: EntryPoint) -> None:
        info = PluginInfo(entry.name, entry.value, _distribution(entry), _version(entry))
        self.infos.append(info)
        try:
            # A plugin is somebody else's code: whatever it raises, the others must still load, and it is reported.
            module = entry.load()
            registered = self.manager.register(module, name=f"{info.distribution}:{entry.name}")
        except (Exception, SystemExit) as error:  # a script that ends itself when imported ends no command of ours
            reason = " ".join(str(error).split())
            info.problems.append(f"cannot be loaded ({type(error).__name__}: {reason})")
            return
        if registered is not None:
            self._check_hooks(info, module)

    def _check_hooks(self, info: PluginInfo, module: object) -> None:
        callers = self.manager.get_hookcallers(module) or []
        info.hooks = tuple(sorted(caller.name for caller in callers))
        known = [name for name in dir(hookspecs) if name.startswith("benchctl_")]
        for caller in callers:
            if not caller.has_spec():
                hint = did_you_mean(caller.name, known, "docs/reference/hooks.md").split("?")[0]
                info.problems.append(f"implements an unknown hook '{caller.name}'. {hint}?")

    def _collect(self, kind: str, hook: str) -> dict[str, Offer]:
        found: dict[str, Offer] = {}
        for info in self.infos:
            plugin = self.manager.get_plugin(f"{info.distribution}:{info.name}")
            implementation = getattr(plugin, hook, None)
            if implementation is None or hook not in info.hooks:
                continue
            try:
                offered = dict(implementation())
            except Exception as error:
                info.problems.append(f"{hook} failed ({type(error).__name__}: {' '.join(str(error).split())})")
                continue
            for name, factory in offered.items():
                if name in found:
                    first = found[name].plugin
                    info.problems.append(
                        f"{kind} '{name}' is taken by '{first.name}' ({first.distribution}), which stays"
                    )
                    first.problems.append(f"{kind} '{name}' is also offered by '{info.name}' ({info.distribution})")
                else:
                    found[name] = Offer(name, factory, info)
        return dict(sorted(found.items()))

    def call(self, hook: str, **arguments: Any) -> None:
        """Call every implementation of a hook that gives nothing back.

        Raises:
            PluginError: one of them failed; the others were called all the same.
        """
        failed = self.tell(hook, **arguments)
        if failed:
            raise PluginError(f"{failed[0]}.", "See benchctl plugins.")

    def tell(self, hook: str, **arguments: Any) -> list[str]:
        """As :meth:`call`, but gives a line for each plugin that failed. What one refuses as ours would, it raises."""
        failed = []
        for info in self.infos:
            error = self._told(info, hook, arguments) if hook in info.hooks else None
            if isinstance(error, BenchctlError):
                raise error
            if error is not None:
                failed.append(f"plugin '{info.name}' ({info.distribution}) failed in {_reason(hook, error)}")
        return failed

    def add_commands(self, cli: click.Group) -> None:
        """Have every plugin add its commands. One that fails adds none, and no command takes the place of another; both
        are reported as :attr:`problems`.
        """
        owners = dict.fromkeys(cli.commands, "benchctl")
        for info in self.infos:
            if "benchctl_commands" not in info.hooks:
                continue
            before = dict(cli.commands)
            error = self._told(info, "benchctl_commands", {"cli": cli})
            if error is not None:
                cli.commands = before
                self._report(info, _reason("benchctl_commands", error, " failed"))
            for name, command in before.items():
                if cli.commands.get(name) is not command:
                    cli.commands[name] = command
                    self._report(info, f"command '{name}' is taken by '{owners[name]}', which stays")
            owners |= dict.fromkeys(cli.commands.keys() - owners.keys(), info.name)

    def _told(self, info: PluginInfo, hook: str, arguments: Mapping[str, Any]) -> BaseException | None:
        """Call the hook of one plugin alone; what it failed with, None where it did not."""
        mine = self.manager.get_plugin(f"{info.distribution}:{info.name}")
        caller = self.manager.subset_hook_caller(hook, [one for one in self.manager.get_plugins() if one is not mine])
        try:
            caller(**arguments)
        except (Exception, SystemExit) as error:
            return error
        return None

    def _report(self, info: PluginInfo, problem: str) -> None:
        if problem not in info.problems:  # a program may be called twice in one process
            info.problems.append(problem)


def _reason(hook: str, error: BaseException, verb: str = "") -> str:
    return f"{hook}{verb} ({type(error).__name__}: {' '.join(str(error).split())})"


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "?"


def _version(entry: EntryPoint) -> str:
    return entry.dist.version if entry.dist is not None else "?"


@cache
def get_plugins() -> Plugins:
    """The plugins installed here, loaded once."""
    return Plugins(list(entry_points(group=GROUP)))
