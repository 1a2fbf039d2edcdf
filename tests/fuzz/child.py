"""A warm process that forks a child for each piece of work, within limits, and says how it ended.

Started by `runner`; requests and answers are lines of JSON on standard input and output.
Everything is imported, and the kernels are compiled, before the first fork, so that a
child costs little more than its work. Where there is no fork, `runner` starts this
program for each piece of work (``--once REQUEST``).
"""

import contextlib
import faulthandler
import json
import os
import select
import signal
import sys
import tempfile
import time
from pathlib import Path

#: What a child may take beyond what the warm process has: address space, bytes.
ROOM = 2 * 1024**3

#: So much longer than its own time may a child take on a busy machine, or asleep.
WAIT = 5

#: Tenths of a second that processes of a child may outlive it.
GRACE = 30


def warm_up():
    """Import what the work needs, and run once over everything that is compiled."""
    from . import actions

    with tempfile.TemporaryDirectory(prefix="fuzz-warm-") as folder, quiet():
        actions.warm_up(Path(folder))


@contextlib.contextmanager
def quiet():
    """Send what is printed meanwhile nowhere: standard output carries the answers."""
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield


def work(request):
    """Do one piece of work in this process, and leave with its exit code."""
    from . import actions

    os.chdir(request["folder"])
    for number, name in ((1, "stdout"), (2, "stderr")):
        handle = os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(handle, number)
        os.close(handle)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8") for number in (1, 2))
    os.environ.update(request["environment"])
    tempfile.tempdir = None
    # What hangs is ended by one of these signals, and says where it hung.
    faulthandler.enable(sys.stderr)
    if hasattr(signal, "SIGXCPU"):
        faulthandler.register(signal.SIGXCPU, sys.stderr, chain=True)
    code = actions.run(request["action"], request["words"])
    # As the program does when its interpreter ends, which a child leaves out.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def limit(seconds):
    """Let this process take no more address space than it has, and some room, and so much time."""
    import resource  # not on Windows, where nothing is forked

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + ROOM
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 5))


def forked(request):
    """Fork a child for one piece of work and wait for it; return how it ended."""
    from . import actions

    actions.prepare(request["action"], request["words"])
    reading, writing = os.pipe()
    os.set_inheritable(writing, False)
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os.environ["FUZZ_BEGUN"] = str(writing)
        code = 70
        try:
            os.setsid()
            with contextlib.suppress(OSError):
                limit(request["seconds"])
            code = work(request)
        finally:
            # Nothing that belongs to the warm process may run at the end of its child.
            os._exit(code)
    os.close(writing)
    if request["kill"] is not None:
        # A byte, or the end of the child.
        os.read(reading, 1)
        delay, number = request["kill"]
        time.sleep(delay)
        os.kill(child, number)
    os.close(reading)
    # Of its own time; others may be at work beside it.
    status, usage, hung = wait(child, WAIT * request["seconds"])
    code = os.waitstatus_to_exitcode(status)
    return {
        "code": code,
        "hung": hung or code == -signal.SIGXCPU,
        "seconds": time.monotonic() - began,
        "memory": usage.ru_maxrss * 1024,
        "left_running": end_group(child),
    }


def wait(child, seconds):
    """Wait for a child; end it where it takes longer."""
    descriptor = os.pidfd_open(child)
    try:
        hung = not select.select([descriptor], [], [], seconds)[0]
        if hung:
            os.kill(child, signal.SIGABRT)
            if not select.select([descriptor], [], [], 2)[0]:
                os.kill(child, signal.SIGKILL)
    finally:
        os.close(descriptor)
    _, status, usage = os.wait4(child, 0)
    return status, usage, hung


def end_group(group):
    """End what a child has left running; return whether there was anything.

    Helpers of Python, which end when they see that their process is gone, have
    a moment for it.
    """
    for _ in range(GRACE):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.1)
    os.killpg(group, signal.SIGKILL)
    return True


def serve():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warm_up()
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(forked(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--once"]:
        sys.exit(work(json.loads(sys.argv[2])))
    serve()
