"""The files for Slurm and Kubernetes, as far as they can be checked without either."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.main import get_command

from flows.cli.search_commands import app
from flows.runtime.engines.cluster_key import KEY_FILE
from flows.runtime.engines.kind import DASK

FOLDER = Path(__file__).parents[1] / "examples" / "clusters"
SLURM, KUBERNETES = FOLDER / "slurm.sh", FOLDER / "kubernetes.yaml"


def documents():
    return list(YAML(typ="safe").load_all(KUBERNETES))


def containers():
    pods = [each["spec"]["template"]["spec"] for each in documents() if "template" in each["spec"]]
    return [container for pod in pods for container in pod["containers"]]


def of_kubernetes():
    return [container["args"] for container in containers()]


def of_slurm():
    found = re.findall(r"nasgem ((?:scheduler|status|worker|search) [^&>;\n]*)", SLURM.read_text())
    return [
        shlex.split(line.replace("$address", "tls://a:1").replace("${SLURM_CPUS_PER_TASK:-1}", "1")) for line in found
    ]


@pytest.mark.parametrize("words", [*of_kubernetes(), *of_slurm()], ids=" ".join)
def test_commands_are_ours_with_the_options_that_they_have(words):
    command = get_command(app).commands[words[0]]
    command.make_context(words[0], list(words[1:]))


def test_all_parts_of_a_search_are_there():
    assert [words[0] for words in of_kubernetes()] == ["scheduler", "worker", "search"]
    assert [words[0] for words in of_slurm()] == ["scheduler", "status", "worker", "search"]


def test_the_script_is_one_of_bash_whose_options_slurm_reads():
    subprocess.run(["bash", "-n", str(SLURM)], check=True)
    lines = SLURM.read_text().splitlines()
    options = [number for number, line in enumerate(lines) if line.startswith("#SBATCH ")]
    first_command = next(number for number, line in enumerate(lines) if line and not line.startswith("#"))
    assert options and max(options) < first_command, "Slurm reads no option behind a command"


def test_pods_find_each_other_and_have_the_key():
    service, *others = documents()
    place = f"tls://{service['metadata']['name']}:{service['spec']['ports'][0]['port']}"
    assert service["spec"]["ports"][0]["port"] == DASK.port
    scheduler = next(each for each in others if each["metadata"]["name"] == "nasgem-scheduler")
    assert scheduler["spec"]["template"]["metadata"]["labels"] == service["spec"]["selector"]
    assert all(place in words for words in of_kubernetes()[1:])
    for each in others:
        if each["kind"] == "Deployment":
            assert each["spec"]["selector"]["matchLabels"] == each["spec"]["template"]["metadata"]["labels"]
        pod = each["spec"]["template"]["spec"]
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in [*pod["initContainers"], *pod["containers"]]:
            assert {mount["name"] for mount in container["volumeMounts"]} == volumes
        assert str(KEY_FILE) in pod["initContainers"][0]["command"][-1]
