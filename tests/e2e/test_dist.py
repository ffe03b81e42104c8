"""What `./dev dist` makes runs where nothing of this machine is: in a root of its own, with nothing but what was unpacked."""
import gzip
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tarfile

import company
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def made(vouch, tmp_path_factory):
    out = tmp_path_factory.mktemp("dist") / "dist"
    done = subprocess.run([sys.executable, ROOT / "packaging" / "dist.py", "--vouch", vouch, "--out", out], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def chroot():
    """The words that run a program in another root, as root or in a user namespace."""
    for words in (["/usr/sbin/chroot"], ["/usr/bin/unshare", "--map-root-user", "/usr/sbin/chroot"]):
        if subprocess.run([*words, "/", "/bin/true"], capture_output=True).returncode == 0:
            return words
    pytest.skip("neither root nor user namespaces: no root of its own")


def the(folder, pattern):
    found = list(folder.glob(pattern))
    assert len(found) == 1, found
    return found[0]


def unpack(archive, folder):
    folder.mkdir()
    subprocess.run(["tar", "--extract", "--file", archive, "--directory", folder], check=True)


@pytest.fixture(scope="module")
def image(made):
    """(folder, manifest, config) of the image."""
    folder = the(made, "*-oci")
    index = json.loads((folder / "index.json").read_text())
    manifest = json.loads(blob(folder, index["manifests"][0]))
    return folder, manifest, json.loads(blob(folder, manifest["config"]))


def blob(folder, descriptor):
    data = (folder / "blobs" / descriptor["digest"].replace(":", "/")).read_bytes()
    assert len(data) == descriptor["size"] and descriptor["digest"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
    return data


def test_the_tarball_runs_from_any_folder_and_through_a_link(made, tmp_path):
    place = tmp_path / "a place"
    unpack(the(made, "*.tar.gz"), place)
    program = the(place, "*/bin/vouch")
    (tmp_path / "link").symlink_to(program)
    for path in (program, tmp_path / "link"):
        done = subprocess.run([path, "--version"], env={}, cwd="/", capture_output=True, text=True)
        assert (done.returncode, done.stdout.split()[0]) == (0, "vouch"), done.stderr
    done = subprocess.run([program, "catalog", "list", "--no-such-thing"], env={}, cwd="/", capture_output=True, text=True)
    assert done.returncode == 2  # words and exit codes pass through


def test_the_tarball_carries_the_licence_of_each_library(made):
    with tarfile.open(the(made, "*.tar.gz")) as tar:
        names = {pathlib.PurePosixPath(name).parts[1:] for name in tar.getnames()}
    licences = {parts[-1] for parts in names if parts[:1] == ("licences",)}
    assert {"libc6", "libcurl4", "duckdb", "botocore-NOTICE", "vouch"} <= licences
    assert len(licences) > len([parts for parts in names if parts[:1] == ("lib",)]) / 2  # some packages own several libraries


def test_the_image_names_its_blobs_by_their_hashes(image):
    folder, manifest, config = image
    assert json.loads((folder / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    layers = [gzip.decompress(blob(folder, layer)) for layer in manifest["layers"]]
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
    named = {manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])}
    assert len(list((folder / "blobs" / "sha256").iterdir())) == len(named) + 1  # and the manifest


def test_the_image_collects_and_decides_with_nothing_else_there(image, chroot, filled, tmp_path):
    folder, manifest, config = image
    root = tmp_path / "root"
    for layer in manifest["layers"]:
        (tmp_path / "layer.tar.gz").write_bytes(blob(folder, layer))
        unpack(tmp_path / "layer.tar.gz", root)
    cloud, _ = filled
    env = dict(one.split("=", 1) for one in config["config"]["Env"]) | {
        "AWS_ENDPOINT_URL": cloud.endpoint, "AWS_REGION": company.HOME, "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_EC2_METADATA_DISABLED": "true"}

    def run(*words):
        return subprocess.run([*chroot, root, *config["config"]["Entrypoint"], *words], env=env, capture_output=True, text=True, timeout=300)

    assert run("init").returncode == 0
    settings = root / env["VOUCH_HOME"].lstrip("/") / "vouch.yaml"
    settings.write_text(re.sub(r"# regions:.*", f"regions: [{company.HOME}]", settings.read_text()))
    scanned = run("scan", "--format", "json")
    assert scanned.returncode == 0, scanned.stderr
    controls = {control["id"]: control for control in json.loads(scanned.stdout)["controls"]}
    assert controls["s3-tls-only"]["population"] > 0 and controls["s3-tls-only"]["unknown"] == 0
    assert (run("status").returncode, run("verify").returncode) == (1, 0)
