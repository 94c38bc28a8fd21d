"""A runtime base image made of this machine's own distribution, for where no registry can be reached.

Debian's packages of the C and C++ libraries, the base files and the CA certificates are fetched with apt from the
sources that the machine uses, trimmed, and imported: what a "distroless" base holds. Needs apt and dpkg; nothing is
installed, and only a package list that is missing or out of date is renewed.
"""

import hashlib
import io
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

NAME = "thicket-base"

# Taken without what they depend on: that is for installing them.
ALONE = ("base-files", "ca-certificates")
# Taken with what it depends on: libgcc, glibc.
WHOLE = "libstdc++6"

DROPPED = re.compile(
    r"usr/share/(?!doc/|common-licenses/).+|usr/share/doc/.+/(?!copyright$)[^/]+"
    r"|(usr/)?lib/[^/]+/(gconv|audit)/.*|(usr/)?s?bin/.+|etc/(update-motd|profile)\.d/.+|usr/lib/mime/.*"
)
CERTIFICATE = re.compile(r"usr/share/ca-certificates/.+\.crt")

FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


def make():
    """Makes the base unless there is one of the same packages; returns its name."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        sys.exit("image: a base can only be made where apt-get and dpkg-deb are; give one that can be pulled")
    try:
        return make_from_lists()
    except subprocess.CalledProcessError:
        print("image: apt's lists are missing or out of date: apt-get update", flush=True)
        subprocess.run(["apt-get", "update", "--quiet=2"], check=True)
        return make_from_lists()


def make_from_lists():
    packages = sorted({*ALONE, *dependencies(WHOLE)})
    # Each line holds the file's name and its checksum.
    wanted = output("apt-get", "download", "--print-uris", *packages)
    files = sorted(line.split(" ", 1)[1] for line in wanted.splitlines())
    recipe = hashlib.sha256("\n".join([*files, Path(__file__).read_text()]).encode()).hexdigest()
    image = f"{NAME}:{recipe[:12]}"
    if subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode == 0:
        print(f"image: runtime base {image} is there", flush=True)
        return image
    print(f"image: runtime base {image} is made of this machine's packages {' '.join(packages)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="thicket-base-") as folder:
        output("apt-get", "download", "--quiet=2", "--option", "APT::Sandbox::User=root", *packages, cwd=folder)
        import_packages(sorted(Path(folder).glob("*.deb")), image)
    return image


def dependencies(package):
    kinds = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
    lines = output("apt-cache", "depends", "--recurse", *(f"--no-{kind}" for kind in kinds), package)
    return [line for line in lines.splitlines() if re.match(r"[a-z0-9]", line)]


def import_packages(packages, image):
    command = ["docker", "import", "--change", "ENV PATH=/usr/local/bin:/usr/bin:/bin", "-", image]
    importing = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    with tarfile.open(fileobj=importing.stdin, mode="w|") as root:
        write(packages, root)
    importing.stdin.close()
    if importing.wait():
        raise RuntimeError(f"docker import ended with {importing.returncode}")


def write(packages, root):
    """Writes the packages' files and what their installation would have made into one archive."""
    certificates, seen = [], set()
    for package in packages:
        content = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(content)) as files:
            for member in files:
                name = member.name.removeprefix("./").rstrip("/")
                if CERTIFICATE.fullmatch(name):
                    certificates.append((name, files.extractfile(member).read()))
                # A directory of several packages is written once.
                elif name not in seen and not DROPPED.fullmatch(name):
                    seen.add(name)
                    root.addfile(member, files.extractfile(member) if member.isreg() else None)
    bundle = b"".join(content for _, content in sorted(certificates))
    add(root, "etc/ssl/certs/ca-certificates.crt", bundle)
    for name, text in FILES.items():
        add(root, name, text.encode())


def add(root, name, content):
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o644
    root.addfile(member, io.BytesIO(content))


def output(*command, cwd=None):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=cwd).stdout
