"""What a process had resident at its peak."""
import pathlib
import re
import threading


class Peak(threading.Thread):
    """The VmHWM of a process, which only grows: the last one seen. (wait4's maxrss would count this Python's pages, shared until exec.)"""

    def __init__(self, pid):
        super().__init__()
        self.pid, self.kib, self.ended = pid, 0, threading.Event()
        self.start()

    def run(self):
        while not self.ended.wait(0.005):
            try:
                found = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{self.pid}/status").read_text())
            except OSError:
                return
            if found:
                self.kib = int(found.group(1))
