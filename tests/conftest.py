"""Fixtures for all tests that run the program against real servers on loopback. Run by `./dev test`; see tests/README.md."""
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parent
ROOT = TESTS.parent
for folder in (TESTS / "company", TESTS / "e2e", TESTS / "scale"):
    sys.path.insert(0, str(folder))

import company  # noqa: E402
from cloud import Cloud  # noqa: E402
from home import Home  # noqa: E402
from proxy import Proxy  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--vouch", default=str(ROOT / "build" / "vouch"), help="the program under test")
    parser.addoption("--full", action="store_true", help="the long form: more resources, more kills, every file")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def vouch(request):
    path = pathlib.Path(request.config.getoption("--vouch")).resolve()
    assert path.exists(), f"{path} is not built: ./dev build"
    return path


@pytest.fixture(scope="session")
def full(request):
    return request.config.getoption("--full")


@pytest.fixture(scope="module")
def cloud():
    """An empty simulated account for one file of tests."""
    with Cloud() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def size(full):
    return company.BENCH if full else company.SMALL


@pytest.fixture(scope="module")
def filled(cloud, size):
    """The sample company in `cloud`: (cloud, plan)."""
    return cloud, company.fill(cloud.endpoint, size, age=cloud.backdate, say=cloud.answer)


@pytest.fixture
def proxy(cloud):
    """Between Vouch and the cloud: counts every call, and fails those that the test's rules choose."""
    with Proxy(cloud.port) as proxy:
        yield proxy


@pytest.fixture
def new_home(vouch, tmp_path):
    """new_home(endpoint) -> a Home not yet made, in a folder of its own."""
    made = []

    def make(endpoint, **options):
        made.append(Home(vouch, tmp_path / f"home-{len(made)}", endpoint, **options))
        return made[-1]

    return make


@pytest.fixture(scope="module")
def module_home(vouch, tmp_path_factory):
    """Like new_home, for what a whole file of tests only reads."""

    def make(endpoint, **options):
        return Home(vouch, tmp_path_factory.mktemp("module") / "home", endpoint, **options)

    return make
