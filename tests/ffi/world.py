"""A server as an operator runs one: the real binary, a folder with two beats, codes for inspectors' devices."""

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


class World:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="aralau-ffi-"))
        self.data = str(self.folder / "data")
        self.url = f"http://127.0.0.1:{free_port()}"
        aralau("admin", "--data", self.data, "sample")
        command = [BINARY, "serve", "--data", self.data, "--listen", self.url.removeprefix("http://")]
        self.server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait()

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
        self.server.terminate()
        self.server.wait()
        shutil.rmtree(self.folder)
