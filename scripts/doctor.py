"""Says what this machine has of what `make up` needs, and what to type: `make doctor`.

It installs nothing and needs no network. The exit code is 0 if `make up` can work, else 1.
It runs on any Python since 2.7, to be able to say that one is too old; so does what it shares with
the installation.
"""

import errno
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections import namedtuple

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
MIN_PYTHON = (3, 11)
MIN_NODE = (20, 19)
MIN_JAVA = (17,)
# What `make up` installs, and what it writes once that is there.
BYTES_TO_INSTALL = 500 * 10**6
BYTES_TO_RUN = 50 * 10**6
STAMP = ".packages-stamp"
TOOLS = (
    # The command, its least version, what it is for, Debian's package, Homebrew's.
    ("curl", (7, 82), "the tour in the README", "curl", "curl"),
    ("git", (), "the version that a deployment shows, and some tests", "git", "git"),
    ("java", MIN_JAVA, "`make offline` and some tests", "default-jre-headless", "openjdk"),
    ("chromium", (), "the tests of the pages", "chromium", "chromium"),
    ("chromedriver", (), "the tests of the pages", "chromium-driver", "chromedriver"),
    ("valgrind", (), "`make bench`", "valgrind", "valgrind"),
)

Finding = namedtuple("Finding", ("mark", "text", "advice"))  # noqa: PYI024 - Python 2.7 has no other
"""A line, and what to do about it, '' if nothing."""
OK = "ok"
PROBLEM = "PROBLEM"
OPTIONAL = "optional"
NOTE = "note"


def main():
    # type: () -> int
    """Print the findings; return the exit code."""
    findings = [python(), node()]
    if findings[-1].mark == OK:
        findings.append(npm())
    findings += (
        [checkout(), port()] + installed() + caches() + proxies() + [tool(*one) for one in TOOLS]
    )
    lines = []
    for finding in findings:
        lines.append("%-9s %s\n" % (finding.mark, finding.text))
        if finding.advice:
            lines.append("%-9s %s\n" % ("", finding.advice))
    problem = any(finding.mark == PROBLEM for finding in findings)
    lines.append("\n`make up` %s work here.\n" % ("can't" if problem else "can"))
    if sys.stdout is not None:  # as after `>&-`
        sys.stdout.write("".join(lines))
    return int(problem)


def python():
    # type: () -> Finding
    """What runs this: new enough, and able to make environments."""
    this = "Python %s, %s" % (sys.version.split()[0], sys.executable)
    if sys.version_info < MIN_PYTHON:
        return Finding(
            PROBLEM,
            "Python %s or newer is needed; this is %s" % (dotted(MIN_PYTHON), this),
            "Install a newer one and name it: make up PYTHON=/path/to/python3.13",
        )
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian leaves it out
        import venv  # noqa: F401, PLC0415
    except ImportError:
        return Finding(
            PROBLEM,
            this + ", has no venv and ensurepip to make environments with",
            "On Debian and Ubuntu: apt-get install python%d.%d-venv" % sys.version_info[:2],
        )
    return Finding(OK, this, "")


def node():
    # type: () -> Finding
    """Node.js, which deploys, also to the local AWS."""
    least = "Node.js %s or newer is needed to deploy, also to the local AWS" % dotted(MIN_NODE)
    advice = "Install it, for example Node.js 22 from https://nodejs.org/en/download"
    said = output("node", "--version")
    if said is None:
        return broken("node", least, advice)
    if numbers(said) < MIN_NODE:
        return Finding(PROBLEM, "%s; this is %s" % (least, said), advice)
    return Finding(OK, "Node.js " + dotted(numbers(said)), "")


def npm():
    # type: () -> Finding
    """What installs the deployment tools; Debian packs it apart from Node.js."""
    said = output("npm", "--version")
    if said is None:
        text = "npm is needed to install the deployment tools"
        return broken("npm", text, to_install("npm", "node"))
    return Finding(OK, "npm " + said, "")


def broken(program, needed, advice):
    # type: (str, str, str) -> Finding
    """A program of Node.js that doesn't start, perhaps for what the user has all of them do."""
    options = os.environ.get("NODE_OPTIONS")
    if options and output("env", "-u", "NODE_OPTIONS", program, "--version") is not None:
        text = "%s; `%s` fails with NODE_OPTIONS=%s" % (needed, program, options)
        return Finding(PROBLEM, text, "Type: unset NODE_OPTIONS")
    return Finding(PROBLEM, "%s; `%s` is missing or broken" % (needed, program), advice)


def checkout():
    # type: () -> Finding
    """The folder that everything is installed into, and its disk."""
    if place().mark == PROBLEM:
        return place()
    if not writable(ROOT):
        text = "%s can't be written, and everything is installed into it" % ROOT
        return Finding(PROBLEM, text, "Make it writable, or clone the project to another place.")
    complete = state(".local/venv") == state("node_modules") == ""
    needed = BYTES_TO_RUN if complete else BYTES_TO_INSTALL
    free = free_bytes(ROOT)
    if free < needed:
        text = "only %s are free on the disk of %s" % (megabytes(free), ROOT)
        return Finding(PROBLEM, text, "Free %s." % megabytes(needed))
    return Finding(OK, "%s are free on the disk" % megabytes(free), "")


def place():
    # type: () -> Finding
    """Whether the folder's name means the same to all programs."""
    # It separates paths in a PATH; the others are patterns and escapes to what builds the desk.
    for sign in (os.pathsep, "*", "\\"):
        if sign in ROOT:
            text = "%s has a %s in it, which some programs don't take for a name" % (ROOT, sign)
            return Finding(PROBLEM, text, "Move the checkout.")
    return Finding(OK, ROOT, "")


def port():
    # type: () -> Finding
    """The port that the local AWS listens on, or would."""
    wanted = os.environ.get("LOCAL_PORT", "4566")
    other = "Choose another port: make up LOCAL_PORT=4567"
    if not re.match("[0-9]{1,5}$", wanted) or not 0 < int(wanted) < 2**16:
        text = 'LOCAL_PORT is a port, a number from 1 to 65535, not "%s"' % wanted
        return Finding(PROBLEM, text, other)
    runs = running_port()
    if runs == str(int(wanted)):
        return Finding(OK, "the local AWS runs on port %s" % runs, "")
    if runs:
        text = "the local AWS runs on port %s, not on %s" % (runs, wanted)
        return Finding(PROBLEM, text, "Use that port, make up LOCAL_PORT=%s, or make down" % runs)
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("127.0.0.1", int(wanted)))
    except (OSError, socket.error) as error:
        why = "for the system's programs" if error.errno == errno.EACCES else "taken"
        return Finding(PROBLEM, "port %s is %s" % (wanted, why), other)
    finally:
        probe.close()
    return Finding(OK, "port %s is free" % wanted, "")


def running_port():
    # type: () -> str | None
    """The port of this checkout's local AWS, None where none runs."""
    return output(
        os.path.join(ROOT, ".local", "venv", "bin", "python"),
        "-c",
        "import pathlib, sys\n"
        "sys.path.insert(0, 'scripts')\n"
        "from local_stack import LocalStack\n"
        "stack = LocalStack.find(pathlib.Path('.local'))\n"
        "sys.exit(print(stack.port) if stack else 1)",
    )


def installed():
    # type: () -> list[Finding]
    """What is installed. A command that needs an environment which is stale makes it anew."""
    local = os.path.join(ROOT, ".local")
    apart = sorted(os.listdir(local)) if os.path.isdir(local) else []
    names = ["node_modules", ".venv"] + [
        ".local/" + name for name in apart if os.path.isdir(os.path.join(local, name, "bin"))
    ]
    states = {}  # type: dict[str, list[str]]
    for name in names:
        problem = state(name)
        if problem is not None:
            states.setdefault(problem, []).append(name)
    current = ", ".join(states.pop("", ["nothing"]))
    return [Finding(NOTE, "installed: " + current, "")] + [
        Finding(NOTE, "%s, so made anew when needed: %s" % (problem, ", ".join(stale)), "")
        for problem, stale in sorted(states.items())
    ]


def state(name):
    # type: (str) -> str | None
    """What is wrong with an environment, '' if nothing, None if it is not there."""
    path = os.path.join(ROOT, name)
    if not os.path.exists(path):
        return None
    if not os.path.exists(os.path.join(path, "bin", "python")) and name != "node_modules":
        return "without their Python"
    try:
        with open(os.path.join(path, STAMP)) as stamp:
            root = str(json.load(stamp)["root"])
    except (IOError, KeyError, TypeError, ValueError):
        return "incomplete"
    return "" if root == ROOT else "made in " + root


def tool(command, least, purpose, debian, homebrew):
    # type: (str, tuple[int, ...], str, str, str) -> Finding
    """A program that `make up` can do without."""
    # Java 8 knows no --version.
    version = numbers(output(command, "--version") or output(command, "-version"))
    if version and version >= least:
        return Finding(OK, "%s %s" % (command, dotted(version)), "")
    needed = "%s %s or newer" % (command, dotted(least)) if least else command
    this = "; this is " + dotted(version) if version else ""
    return Finding(OPTIONAL, "%s, for %s%s" % (needed, purpose, this), to_install(debian, homebrew))


def caches():
    # type: () -> list[Finding]
    """Where downloads are kept if not at home."""
    if not caches_here():
        return []
    return [Finding(NOTE, "home can't be written; downloads are kept in .local/cache", "")]


def proxies():
    # type: () -> list[Finding]
    """What leads downloads through a proxy."""
    names = [name for name in sorted(os.environ) if re.match("(?i)(https?|all)_proxy$", name)]
    return [Finding(NOTE, "downloads use the proxy in " + name, "") for name in names]


def caches_here():
    # type: () -> dict[str, str]
    """The variables that tell pip, uv and npm where to keep downloads, where home can't be written.

    What the user has set stays.
    """
    home = os.path.expanduser("~")
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    usual = {
        "PIP_CACHE_DIR": os.path.join(cache, "pip"),
        "UV_CACHE_DIR": os.path.join(cache, "uv"),
        "npm_config_cache": os.path.join(home, ".npm"),
    }
    given = {name.lower() for name, value in os.environ.items() if value}
    return {
        name: os.path.join(ROOT, ".local", "cache", os.path.basename(place))
        for name, place in usual.items()
        if name.lower() not in given and not writable(place)
    }


def writable(directory):
    # type: (str) -> bool
    """Tell whether files can be made there, or the directory itself can."""
    while not os.path.lexists(directory):
        directory = os.path.dirname(directory)
    try:
        tempfile.TemporaryFile(dir=directory).close()
    except (IOError, OSError):
        return False
    return True


def free_bytes(directory):
    # type: (str) -> int
    disk = os.statvfs(directory)
    return disk.f_bavail * disk.f_frsize


def megabytes(count):
    # type: (int) -> str
    return "{:,} MB".format(count // 10**6)


def output(*command):
    # type: (str) -> str | None
    """What a command prints, None where there is no such command or it fails.

    Of stderr only if that is all: warnings come there.
    """
    try:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError:
        return None
    printed, complained = process.communicate()
    said = (printed.strip() or complained.strip()).decode("utf-8", "replace")
    return said if process.returncode == 0 else None


def numbers(said):
    # type: (str | None) -> tuple[int, ...]
    """The first version in a text, () where it has none."""
    found = re.search(r"\d+(\.\d+)+", said or "") or re.search(r"\d+", said or "")
    return tuple(int(number) for number in found.group().split(".")) if found else ()


def dotted(version):
    # type: (tuple[int, ...]) -> str
    return ".".join(str(number) for number in version)


def to_install(debian, homebrew):
    # type: (str, str) -> str
    """What to type on this system."""
    for installer, package in (("apt-get", debian), ("brew", homebrew)):
        if output(installer, "--version") is not None:
            return "%s install %s" % (installer, package)
    return "Install it."


if __name__ == "__main__":
    sys.exit(main())
