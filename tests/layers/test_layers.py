"""The build knows the layers: a module sees the headers of the modules it may include, and a wrong-way #include does not compile."""
import json
import pathlib
import shlex
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# The table of docs/architecture.md: what each module may include besides itself.
MAY_SEE = {
    "base": set(),
    "wire": {"base"},
    "table": {"base"},
    "ledger": {"base", "wire"},
    "collect": {"base", "wire", "ledger"},
    "facts": {"base", "wire", "table", "ledger", "policy"},
    "controls": {"base", "table", "ledger", "policy", "facts"},
    "portal": {"base", "wire", "ledger", "collect"},
    "cli": {"base", "wire", "table", "ledger", "collect", "policy", "facts", "controls", "portal"},
}
HEADERS = {"base": "base/error.h", "wire": "wire/client.h", "table": "table/store.h", "ledger": "ledger/read.h", "collect": "collect/collect.h",
           "facts": "facts/facts.h", "controls": "controls/evaluate.h", "portal": "portal/serve.h", "cli": "cli/commands.h"}


@pytest.fixture(scope="module")
def commands(vouch):
    """One compile command of each module, as the build uses it."""
    found = {}
    for entry in json.loads((vouch.parent / "compile_commands.json").read_text()):
        file = pathlib.Path(entry["file"])
        if file.is_relative_to(ROOT / "src") and not file.name.endswith(("_test.cpp", "_fuzz.cpp", "_bench.cpp")):
            found.setdefault(file.relative_to(ROOT / "src").parts[0], entry)
    return found


def compiles(entry, header, folder):
    """Whether one #include compiles with the module's own flags."""
    source = folder / "probe.cpp"
    source.write_text(f'#include "{header}"\n')
    words = [word for word in shlex.split(entry["command"])]
    compiler = next(i for i, word in enumerate(words) if pathlib.Path(word).name.startswith(("c++", "g++", "clang++")))
    flags = []
    for word in words[compiler + 1:]:
        if word.startswith(("-I", "-D", "-std", "-isystem")) or (flags and flags[-1] == "-isystem"):
            flags.append(word)
    done = subprocess.run([words[compiler], *flags, "-fsyntax-only", "-x", "c++", source], cwd=entry["directory"], capture_output=True, text=True)
    if done.returncode:
        assert f"{header}: No such file" in done.stderr or f"'{header}' file not found" in done.stderr, done.stderr[-2000:]
    return done.returncode == 0


@pytest.mark.parametrize("module, other", [("facts", "collect"), ("wire", "ledger"), ("collect", "facts"), ("base", "wire"), ("ledger", "table"),
                                           ("controls", "collect"), ("table", "ledger"), ("controls", "cli"), ("portal", "cli"), ("portal", "facts"),
                                           ("collect", "portal")])
def test_a_wrong_way_include_does_not_compile(commands, tmp_path, module, other):
    assert other not in MAY_SEE[module]
    assert not compiles(commands[module], HEADERS[other], tmp_path)


@pytest.mark.parametrize("module, other", [("facts", "ledger"), ("collect", "wire"), ("controls", "facts"), ("cli", "collect"), ("cli", "portal"), ("portal", "collect")])
def test_an_include_that_the_table_allows_compiles(commands, tmp_path, module, other):
    assert compiles(commands[module], HEADERS[other], tmp_path)


def test_each_module_names_only_modules_that_the_table_allows(commands):
    assert set(commands) <= set(MAY_SEE)
    for module, entry in commands.items():
        seen = {pathlib.Path(word.removeprefix("-I")).name for word in shlex.split(entry["command"]) if word.startswith("-I") and "/include/" in word}
        assert seen - {module} <= MAY_SEE[module], module


def test_every_include_of_every_file_is_one_that_the_table_allows():
    """Tests included: what they need from further right shows that a seam is in the wrong place."""
    for module, allowed in MAY_SEE.items():
        for file in (ROOT / "src" / module).glob("*.*"):
            for line in file.read_text().splitlines():
                if line.startswith('#include "'):
                    other = line.split('"')[1].split("/")[0]
                    assert other == module or other in allowed, f"{file.relative_to(ROOT)}: {line}"
