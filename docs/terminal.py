"""Draws what a command prints on a terminal: terminal.py OUT.svg COLUMNS LINES COMMAND… (runs it in a pseudo-terminal of that size)."""
import fcntl
import html
import os
import pty
import re
import struct
import sys
import termios

out, columns, lines, command = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    os.execvp(command[0], command)
text = b""
try:
    while piece := os.read(fd, 65536):
        text += piece
except OSError:  # Linux ends a pseudo-terminal this way
    pass
os.waitpid(pid, 0)

TONES = {"31;1": "#f87171", "32": "#4ade80", "33": "#fbbf24", "2": "#94a3b8", "1": "#f8fafc"}
WIDTH, HEIGHT, LEFT, TOP = 7.8, 17, 18, 44
rows = text.decode().replace("\r", "").split("\n")
while rows and not rows[-1].strip():
    rows.pop()
rows.insert(0, "\x1b[1m$ " + " ".join(os.path.basename(word) if i == 0 else word for i, word in enumerate(command)) + "\x1b[0m")

body, tone = [], "#e2e8f0"
for number, row in enumerate(rows):
    spans, column = [], 0
    for part in re.split(r"(\x1b\[[0-9;]*m)", row):
        if part.startswith("\x1b"):
            tone = TONES.get(part[2:-1], "#e2e8f0")
        elif part:
            spans.append(f'<tspan x="{LEFT + column * WIDTH:.1f}" fill="{tone}">{html.escape(part)}</tspan>')
            column += len(part)
    body.append(f'<text y="{TOP + number * HEIGHT}" xml:space="preserve">{"".join(spans)}</text>')

width = LEFT * 2 + WIDTH * max(len(re.sub(r"\x1b\[[0-9;]*m", "", row)) for row in rows)
height = TOP + HEIGHT * len(rows)
with open(out, "w", encoding="utf-8") as file:
    file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" font-family="ui-monospace, Menlo, Consolas, monospace" '
               f'font-size="13"><rect width="100%" height="100%" rx="10" fill="#0f172a"/>'
               '<circle cx="20" cy="18" r="5" fill="#f87171"/><circle cx="38" cy="18" r="5" fill="#fbbf24"/><circle cx="56" cy="18" r="5" fill="#4ade80"/>'
               + "\n".join(body) + "</svg>\n")
