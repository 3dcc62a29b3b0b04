"""A server as an operator runs one, for tests in Python: the real binary over a folder of its own."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

BINARY = os.environ["ARALAU_BIN"]


def aralau(*arguments):
    """Runs a command; its objects, one for each line."""
    done = subprocess.run([BINARY, *arguments, "--json"], check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """Serves what `prepare` has put into its data folder, until it is told to `end`."""

    def __init__(self, *settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="aralau-tests-"))
        self.data = str(self.folder / "data")
        self.url = f"http://127.0.0.1:{free_port()}"
        self.prepare()
        command = [BINARY, "serve", "--data", self.data, "--listen", self.url.removeprefix("http://"), *settings]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        self.wait()

    def prepare(self):
        raise NotImplementedError

    def wait(self):
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{self.url}/readyz").close()
                return
            except urllib.error.URLError:
                time.sleep(0.05)
        raise RuntimeError("the server did not start within 30 seconds")

    def code(self, name):
        """A code by which somebody's device becomes known."""
        [made] = aralau("admin", "--data", self.data, "enroll", "--beat", "beat-01", "--inspector", name)
        return made["code"]

    def end(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)
