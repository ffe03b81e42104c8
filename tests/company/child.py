"""A server that a test or the demo starts: a child process that says where it listens and ends when its stdin closes."""
import os
import subprocess
import sys


class Child:
    """`said` is the one line that it prints once it listens. A context manager: nothing of it outlives the block. `program`: what runs the command,
    when it is not Python."""

    def __init__(self, *command, program=sys.executable, env=None, **options):
        self.process = subprocess.Popen([str(program), *map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=os.environ | (env or {}), **options)
        self.said = self.process.stdout.readline()
        if not self.said:
            raise RuntimeError(f"`{program} {command[0]}` did not start: run it by hand to see why")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
