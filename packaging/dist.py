"""What people install: dist.py --vouch build/vouch --out dist     (after ./dev build)

    dist/vouch-VERSION-linux-ARCH.tar.gz   unpack anywhere, run bin/vouch
    dist/vouch-VERSION-oci/                an OCI image layout (github.com/opencontainers/image-spec), image-layout 1.0.0

Both hold the program, every shared library that it loads, and the loader that was built with them, so neither asks for a distribution
or its glibc. The image adds certificates, time zones and a user without rights: there is no shell in it. The same commit gives the
same bytes: names are sorted, times are the commit's.
"""
import argparse
import gzip
import hashlib
import io
import json
import pathlib
import platform
import re
import shutil
import subprocess
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
USER = 65532  # what images without a shell commonly use for "nobody in particular"
PREFIX = "opt/vouch"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}

LAUNCHER = """#!/bin/sh
lib=$(dirname "$(readlink -f "$0")")/../lib
exec "$lib/{loader}" --argv0 "$0" --library-path "$lib" "$lib/vouch" "$@"
"""


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True, cwd=ROOT).stdout


def libraries(program):
    """(loader, shared libraries) that a program loads, as ldd finds them."""
    listed = run("ldd", program)
    if "not found" in listed:
        raise SystemExit(f"{program} misses a library:\n{listed}")
    loader = pathlib.Path(re.search(r"^\s*(/\S*ld-linux\S*)", listed, re.MULTILINE).group(1))
    return loader, [pathlib.Path(path) for path in re.findall(r"=> (/\S+)", listed)]


def licences(files):
    """{name: its text} of what is passed on: Debian's packages, DuckDB, AWS's models as botocore has them, Vouch."""
    packages = set()
    for path in files:
        owner = subprocess.run(["dpkg-query", "--search", f"*/{path.resolve().name}"], capture_output=True, text=True).stdout  # /lib or /usr/lib
        if owner:
            packages.add(owner.split(":")[0])
    texts = {package: pathlib.Path("/usr/share/doc") / package / "copyright" for package in sorted(packages)}
    texts["duckdb"] = ROOT / "packaging" / "duckdb.licence"
    for name in ("LICENSE.txt", "NOTICE"):
        texts |= {f"botocore-{path.name}": path for path in (ROOT / ".deps" / "botocore").glob(f"botocore-*.dist-info/**/{name}")}
    return texts | {"vouch": ROOT / "LICENSE"}


def stage(vouch, folder):
    """The tree that both carry: bin/, lib/, licences/. Returns the loader's name."""
    loader, shared = libraries(vouch)
    for name in ("bin", "lib", "licences"):
        (folder / name).mkdir(parents=True)
    for path in [loader, *shared]:
        shutil.copyfile(path.resolve(), folder / "lib" / path.name)
        (folder / "lib" / path.name).chmod(0o755)
    shutil.copyfile(vouch, folder / "lib" / "vouch")
    (folder / "lib" / "vouch").chmod(0o755)
    run("strip", folder / "lib" / "vouch")
    (folder / "bin" / "vouch").write_text(LAUNCHER.format(loader=loader.name))
    (folder / "bin" / "vouch").chmod(0o755)
    for name, text in licences([loader, *shared]).items():
        shutil.copyfile(text, folder / "licences" / name)
    return loader.name


class Archive:
    """A tar whose bytes follow from its files alone."""

    def __init__(self, time):
        self.bytes, self.time, self.folders = io.BytesIO(), time, set()
        self.tar = tarfile.open(fileobj=self.bytes, mode="w", format=tarfile.PAX_FORMAT)

    def _add(self, name, mode, kind, data=b"", owner=0):
        entry = tarfile.TarInfo(name)
        entry.mode, entry.type, entry.size, entry.mtime, entry.uid, entry.gid = mode, kind, len(data), self.time, owner, owner
        self.tar.addfile(entry, io.BytesIO(data))

    def folder(self, name, mode=0o755, owner=0):
        if name in ("", ".") or name in self.folders:
            return
        self.folder(str(pathlib.PurePosixPath(name).parent))
        self.folders.add(name)
        self._add(name, mode, tarfile.DIRTYPE, owner=owner)

    def file(self, name, data, mode=0o644):
        self.folder(str(pathlib.PurePosixPath(name).parent))
        self._add(name, mode, tarfile.REGTYPE, data)

    def tree(self, name, folder):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.file(f"{name}/{path.relative_to(folder)}", path.read_bytes(), 0o755 if path.stat().st_mode & 0o100 else 0o644)

    def done(self):
        self.tar.close()
        return self.bytes.getvalue()


def packed(data):
    return gzip.compress(data, 6, mtime=0)


def root_of_image(staged, time):
    layer = Archive(time)
    layer.tree(PREFIX, staged)
    layer.file("etc/passwd", f"root:x:0:0:root:/:/none\nvouch:x:{USER}:{USER}:vouch:/var/lib/vouch:/none\n".encode())
    layer.file("etc/group", f"root:x:0:\nvouch:x:{USER}:\n".encode())
    layer.file("etc/nsswitch.conf", b"hosts: files dns\n")
    layer.file("etc/ssl/certs/ca-certificates.crt", pathlib.Path("/etc/ssl/certs/ca-certificates.crt").read_bytes())
    layer.tree("usr/share/zoneinfo", pathlib.Path("/usr/share/zoneinfo"))
    layer.folder("tmp", 0o1777)
    layer.folder("var/lib/vouch", 0o700, USER)
    return layer.done()


def write_image(folder, layer, loader, version, time):
    """image-spec: manifest.md, config.md, image-layout.md."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def blob(kind, data):
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(data)}

    made = subprocess.run(["date", "-u", "-d", f"@{time}", "+%Y-%m-%dT%H:%M:%SZ"], check=True, capture_output=True, text=True).stdout.strip()
    platform_of = {"os": "linux", "architecture": ARCHITECTURES[platform.machine()]}
    config = {"created": made, **platform_of,
              "config": {"User": f"{USER}:{USER}", "WorkingDir": "/var/lib/vouch", "Env": ["VOUCH_HOME=/var/lib/vouch/home"],
                         "Volumes": {"/var/lib/vouch": {}}, "Cmd": ["--help"],
                         "Entrypoint": [f"/{PREFIX}/lib/{loader}", "--argv0", "vouch", "--library-path", f"/{PREFIX}/lib", f"/{PREFIX}/lib/vouch"],
                         "Labels": {"org.opencontainers.image.title": "vouch", "org.opencontainers.image.version": version,
                                    "org.opencontainers.image.licenses": "Apache-2.0"}},
              "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]}}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": blob("config.v1+json", json.dumps(config).encode()),
                "layers": [blob("layer.v1.tar+gzip", packed(layer))]}
    entry = {**blob("manifest.v1+json", json.dumps(manifest).encode()), "platform": platform_of, "annotations": {"org.opencontainers.image.ref.name": version}}
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [entry]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--vouch", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    version = run(options.vouch.resolve(), "--version").split()[-1]
    time = int(run("git", "log", "-1", "--format=%ct"))
    name = f"vouch-{version}-linux-{platform.machine()}"
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="vouch-dist-") as scratch:
        staged = pathlib.Path(scratch) / "vouch"
        loader = stage(options.vouch.resolve(), staged)
        archive = Archive(time)
        archive.tree(name, staged)
        (options.out / f"{name}.tar.gz").write_bytes(packed(archive.done()))
        write_image(options.out / f"vouch-{version}-oci", root_of_image(staged, time), loader, version, time)
    for path in sorted(options.out.iterdir()):
        size = sum(file.stat().st_size for file in [path, *path.rglob("*")] if file.is_file())
        print(f"{path}  {size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
