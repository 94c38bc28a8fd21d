#!/usr/bin/env python3
"""Builds thicket's container image, with a registry or without.

    python3 tools/image/build.py [--tag IMAGE] [--build-base IMAGE] [--runtime-base IMAGE] [--local]

Where both bases are there or can be pulled, everything is built in containers, as by `docker build .`. Otherwise, and
with --local, the server is built here by cargo (THICKET_BIN names one that is built already), the libraries of other
engines are fetched here, and the runtime base is made of this machine's own packages: the image then needs no newer
glibc than the binary. Either way the Dockerfile is the same.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import base
import layout

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "Dockerfile"


def main():
    options = arguments()
    bases = {"BUILD_BASE": options.build_base, "RUNTIME_BASE": options.runtime_base}
    if not options.local and all(is_at_hand(image) for image in bases.values()):
        say(f"everything is built in {options.build_base}")
        build(options.tag, bases, [], ROOT)
    else:
        build_from_here(options.tag)
    version = run("docker", "run", "--rm", "--network", "none", options.tag, "--version")
    size = int(run("docker", "image", "inspect", "--format", "{{.Size}}", options.tag))
    say(f"{options.tag} is ready: {version}, {size / 1e6:.1f} MB")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tag", default=os.environ.get("THICKET_IMAGE", "thicket:test"))
    parser.add_argument("--build-base", default=default_base("BUILD_BASE"))
    parser.add_argument("--runtime-base", default=default_base("RUNTIME_BASE"))
    parser.add_argument("--local", action="store_true", help="ask no registry")
    return parser.parse_args()


def default_base(argument):
    return re.search(rf"^ARG {argument}=(\S+)$", DOCKERFILE.read_text(), re.MULTILINE)[1]


def is_at_hand(image):
    """Whether the daemon has the image, if need be by pulling it."""
    if subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode == 0:
        return True
    say(f"pulling {image}")
    pull = subprocess.run(["docker", "pull", "--quiet", image], stdout=subprocess.DEVNULL, check=False)
    if pull.returncode:
        say(f"{image} cannot be pulled")
    return pull.returncode == 0


def build_from_here(tag):
    say("the server and its base are taken from this machine")
    binary = build_server()
    subprocess.run([sys.executable, str(ROOT / "tools" / "runtimes.py")], check=True)
    runtime_base = base.make()
    with tempfile.TemporaryDirectory(prefix="thicket-image-") as folder:
        content = Path(folder) / "content"
        layout.lay_out(binary, ROOT / "runtimes", content)
        build(tag, {"RUNTIME_BASE": runtime_base}, ["--target", "prebuilt"], content)


def build_server():
    if "THICKET_BIN" in os.environ:
        binary = Path(os.environ["THICKET_BIN"])
        say(f"the server is {binary}")
        return binary
    # As `make build` does, so that nothing is built twice.
    command = ["cargo", "build", "--release", "--locked", "--workspace", "--bin", "thicket"]
    subprocess.run(command, cwd=ROOT, check=True)
    manifest = ROOT / "Cargo.toml"
    metadata = run("cargo", "metadata", "--format-version", "1", "--no-deps", "--manifest-path", str(manifest))
    return Path(json.loads(metadata)["target_directory"]) / "release" / "thicket"


def build(tag, bases, options, context):
    settings = [word for name, image in bases.items() for word in ("--build-arg", f"{name}={image}")]
    command = ["docker", "build", "--tag", tag, "--file", str(DOCKERFILE), *settings, *options, str(context)]
    subprocess.run(command, check=True)


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def say(text):
    print(f"image: {text}", flush=True)


if __name__ == "__main__":
    main()
