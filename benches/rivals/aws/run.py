#!/usr/bin/env python3
"""Runs AWS's serving stack on loopback: Multi Model Server and SageMaker's toolkit, set up as in the XGBoost container.

usage: run.py FOLDER [ARCHIVE ...]

FOLDER receives the virtual environment, the configuration and the logs, and is used again the next time. Each
ARCHIVE (`<name>/model.tar.gz` with a Booster pickled by XGBoost 0.90) becomes FOLDER/models/<name>, ready to be
loaded with POST /models. The words in SERVER_LAUNCHER stand before the server's command. Prints `listening on
http://127.0.0.1:PORT` when the server answers, ends on SIGTERM.
"""

import os
import random
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "tests" / "tools"))

from environments import environment  # noqa: E402

PACKAGES = (
    "multi-model-server==1.1.2",
    "sagemaker-inference==1.5.5",
    "xgboost==1.7.6",
    "numpy==1.24.4",
    "scipy==1.10.1",
)
START_S = 60
STOP_S = 30
MIB = 1024 * 1024
REQUEST_MAX = 6 * MIB

# The keys and values that the container gives the server when no variable overrides them.
CONFIGURATION = """\
model_store=/
load_models=
inference_address=http://127.0.0.1:{port}
management_address=http://127.0.0.1:{port}
default_workers_per_model=1
max_request_size={request_max}
decode_input_request=false
default_service_handler=handler
job_queue_size=100
preload_model=true
"""


def free_port():
    """Returns a port that nobody listens on; the server takes none above 32767."""
    for port in random.sample(range(20_000, 32_768), 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    sys.exit("no free port from 20000 to 32767 in a hundred tries")


def java_command(python, folder, scratch, port):
    """Returns the command that starts the server's Java part, with the container's heap for this machine."""
    if shutil.which("java") is None:
        sys.exit("Multi Model Server needs java on the path")
    where = "import mms, sagemaker_inference as s; print(mms.__path__[0]); print(s.__path__[0])"
    mms, toolkit = subprocess.check_output([str(python), "-c", where], text=True).split()
    configuration = folder / "config.properties"
    configuration.write_text(CONFIGURATION.format(port=port, request_max=REQUEST_MAX))
    heap_mib = -(-3 * os.cpu_count() * REQUEST_MAX * 12 // (MIB * 10)) + 128
    return [
        "java",
        f"-Dmodel_server_home={Path(mms).parent}",
        f"-Dlog4j.configuration=file://{toolkit}/etc/log4j.properties",
        f"-Djava.io.tmpdir={scratch}",
        "-XX:-UseLargePages",
        "-XX:+UseG1GC",
        "-XX:InitiatingHeapOccupancyPercent=25",
        f"-Xms{heap_mib}m",
        f"-Xmx{heap_mib}m",
        f"-XX:MaxDirectMemorySize={heap_mib}m",
        "-cp",
        f"{mms}/frontend/*",
        "com.amazonaws.ml.mms.ModelServer",
        "--python",
        str(python),
        "-f",
        str(configuration),
    ]


def start(python, folder, scratch, port):
    variables = {
        "PYTHONPATH": str(HERE),
        "LOG_LOCATION": str(folder / "logs"),
        "METRICS_LOCATION": str(folder / "logs"),
        "SAGEMAKER_MULTI_MODEL": "true",
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "application/json",
        "OMP_NUM_THREADS": "1",
    }
    command = [*shlex.split(os.environ.get("SERVER_LAUNCHER", "")), *java_command(python, folder, scratch, port)]
    with open(folder / "server.log", "wb") as log:
        # A session of its own makes a process group of the server and its workers.
        return subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def await_ping(server, url, log):
    """Asks until the server answers; it tells no one when it is ready."""
    end = time.monotonic() + START_S
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/ping", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"Multi Model Server did not answer; its log:\n{log.read_text()}")


def stop(server):
    """Ends the Java part, then the workers that it leaves behind."""
    server.terminate()
    try:
        server.wait(STOP_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    try:
        os.killpg(server.pid, signal.SIGKILL)
    except ProcessLookupError:
        # No worker was left.
        pass


def serve(python, folder, scratch):
    """Runs the server until it ends or this script is told to."""
    port = free_port()
    server = start(python, folder, scratch, port)
    try:
        await_ping(server, f"http://127.0.0.1:{port}", folder / "server.log")
        print(f"listening on http://127.0.0.1:{port}", flush=True)
        server.wait()
    finally:
        stop(server)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    # A signal becomes an exception, so that the server never outlives this script.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with environment(folder / "environment", PACKAGES, newest=(3, 11)) as python:
        for archive in sys.argv[2:]:
            target = folder / "models" / Path(archive).resolve().parent.name
            subprocess.run([str(python), str(HERE / "resave.py"), archive, str(target)], check=True)
        # The workers' sockets lie there and have to have short names.
        with tempfile.TemporaryDirectory(prefix="mms-", dir="/tmp") as scratch:
            serve(python, folder, scratch)


if __name__ == "__main__":
    main()
