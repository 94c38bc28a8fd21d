"""Where rivals are installed, and what to say of one that cannot be."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tests" / "tools"), str(ROOT / "tests" / "system")]

from environments import interpreter  # noqa: E402

# The newest Python that every pinned package has a wheel for.
NEWEST_PYTHON = (3, 11)
INSTALL_S = 900


class Unavailable(Exception):
    """A rival does not run here; the text is the last line of what was said about it."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(command, timeout_s, **options):
    """Runs a command and returns what it printed; `Unavailable` with its last line when it fails or takes too long."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=timeout_s, check=True, **options)
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{Path(words[0]).name} took more than {timeout_s} s") from error
    except subprocess.CalledProcessError as error:
        raise Unavailable(last_line(error.stderr or error.stdout)) from error
    except OSError as error:
        raise Unavailable(str(error)) from error
    return done.stdout


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "failed without a word"


class Folder:
    """The folder that everything is installed and kept in: target/rivals."""

    def __init__(self, path, thicket, bench):
        self.path = path.resolve()
        self.thicket = thicket.resolve()
        self.bench = bench.resolve()
        self.runtimes = ROOT / "runtimes"
        self._built = {}

    def python(self, name):
        """Returns the interpreter of the environment with the packages of requirements/`name`.txt."""
        wanted = HERE / "requirements" / f"{name}.txt"
        environment = self.path / "environments" / name
        python, record = environment / "bin" / "python", environment / "installed.txt"
        if record.exists() and record.read_text() == wanted.read_text():
            return python
        say(f"{name}: installing")
        run([interpreter(NEWEST_PYTHON), "-m", "venv", "--clear", environment], INSTALL_S)
        run([python, "-m", "pip", "install", "--quiet", "--prefer-binary", "--requirement", wanted], INSTALL_S)
        record.write_text(wanted.read_text())
        return python

    def program(self, name, profile="release"):
        """Returns a program of the Cargo workspace in rust/, built with one of its profiles."""
        if (name, profile) in self._built:
            return self._built[name, profile]
        say(f"{name}: building")
        run(["cargo", "build", "--profile", profile, "--locked", "--bin", name], INSTALL_S, cwd=HERE / "rust")
        self._built[name, profile] = ROOT / "target" / "rivals" / "cargo" / profile / name
        return self._built[name, profile]
