"""OBS-7: the files of the page on deploying, each judged by the tool of its world, and the commands and code in them by ours."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path
from shutil import which
from typing import Any
from unittest.mock import patch

import kubernetes_validate
import pytest
import yaml
from compose_pydantic import ComposeSpecification
from pydantic import ValidationError
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from statecore.cli import logs
from statecore.cli.main import group
from statecore.telemetry.serving import address

pytestmark = pytest.mark.spec("OBS-7")

PAGE = Path(__file__).parents[3] / "specs" / "guide" / "deploying.md"
FILES = PAGE.with_suffix("")
SERVICE, IMAGE, COMPOSE, PODS = (
    FILES / name for name in ("statecore-worker.service", "Dockerfile", "compose.yaml", "kubernetes.yaml")
)


class Service(RawConfigParser):
    """A unit of systemd, whose names have capitals and may come twice."""

    def optionxform(self, optionstr: str) -> str:
        """A name as it is."""
        return optionstr


def service() -> Service:
    """The unit."""
    found = Service(strict=False, delimiters=("=",), comment_prefixes=("#",))
    found.read(SERVICE)
    return found


def read(path: Path) -> Any:
    """A file of YAML."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def parses(arguments: list[str]) -> dict[str, Any]:
    """The values of a command line of ours, as click reads them; what it says of the log is configured nowhere."""
    command = group.get_command(group.make_context("statecore", ["--help"], resilient_parsing=True), arguments[0])
    assert command is not None
    with patch.object(logs, "configure"):
        return command.make_context(arguments[0], arguments[1:]).params


def test_the_unit_is_one():
    """The unit has the sections of a service, a command of ours, and stops in longer than systemd's own 90 s; systemd says so, where it is there."""
    unit = service()
    assert {"Unit", "Service", "Install"} == set(unit.sections())
    assert int(unit["Service"]["TimeoutStopSec"]) > 90
    tool = which("systemd-analyze")
    said = subprocess.run([tool, "verify", str(SERVICE)], capture_output=True, text=True, check=False) if tool else None
    assert said is None or (said.returncode, said.stderr.strip()) == (0, "")


def test_each_command_of_the_files_is_one_of_ours():
    """The commands of the unit and of the image are parsed by the worker's own options, and their addresses are some."""
    started = shlex.split(service()["Service"]["ExecStart"])
    of_unit = started[started.index("worker") :] if "worker" in started else started[1:]
    command = re.findall(r"^CMD (\[.*\])$", IMAGE.read_text(encoding="utf-8"), re.MULTILINE)
    of_image = yaml.safe_load(command[-1])[1:]
    for arguments, place in ((of_unit, ("127.0.0.1", 9464)), (of_image, ("0.0.0.0", 9464))):  # noqa: S104  # as the file says
        values = parses(arguments)
        assert values["targets"] == ("payout.py",)
        assert values["place"] == place


def test_the_image_has_no_fault():
    """Hadolint finds nothing in the Dockerfile, and finds something in one that is spoilt."""
    lint = Path(sys.executable).with_name("hadolint")
    assert subprocess.run([lint, IMAGE], capture_output=True, text=True, check=False).stdout == ""
    text = IMAGE.read_text(encoding="utf-8").replace("WORKDIR /srv", "WORKDIR srv")
    spoilt = subprocess.run([lint, "-"], input=text, capture_output=True, text=True, check=False)
    assert "DL3000" in spoilt.stdout


def test_the_compose_file_fits_its_specification():
    """The file fits the models of the Compose Specification, which refuse an unknown key; what a service names is there."""
    plain = read(COMPOSE)
    ComposeSpecification(**plain)
    with pytest.raises(ValidationError):
        ComposeSpecification(**{**plain, "services": {"worker": {"biuld": "."}}})
    assert {name for each in plain["services"].values() for name in each.get("secrets", ())} <= set(plain["secrets"])
    assert {name for each in plain["services"].values() for name in each.get("depends_on", ())} <= set(plain["services"])
    assert "/readyz" in plain["services"]["worker"]["healthcheck"]["test"][-1]


def test_the_pods_fit_their_schema():
    """The manifest fits the schema of Kubernetes, strictly; its probes ask what the worker serves, on the port that it serves."""
    plain = read(PODS)
    assert kubernetes_validate.validate(plain, "1.29", strict=True) == "1.29"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**plain, "spec": {**plain["spec"], "replica": 3}}, "1.29", strict=True)
    [container] = plain["spec"]["template"]["spec"]["containers"]
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("liveness", "readiness")}
    assert {name: (each["path"], ports[each["port"]]) for name, each in probes.items()} == {
        "liveness": ("/healthz", 9464),
        "readiness": ("/readyz", 9464),
    }
    assert address("0.0.0.0:9464") == ("0.0.0.0", 9464)  # noqa: S104  # as the image says
    assert plain["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > 30


def test_the_code_of_the_page_runs(tmp_path, monkeypatch):
    """Each block of Python runs in the names that those before it left, and its sums are right."""
    monkeypatch.chdir(tmp_path)
    examples = list(Sybil(parsers=[PythonCodeBlockParser()]).parse(PAGE).examples())
    assert len(examples) == 2
    for example in examples:
        example.evaluate()


def test_the_commands_of_the_page_exist():
    """Each command that it names is one of ours, and each file that it names is there."""
    text = PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"`statecore ([a-z]+)", text)) <= set(group.commands)
    linked = set(re.findall(r"\]\(deploying/([\w.-]+)\)", text))
    assert linked == {path.name for path in FILES.iterdir()}
