"""Programs on PATH, a few lines of bash that ask this process: a start of Python for each call would cost more."""

import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

Answer: TypeAlias = Callable[[tuple[str, ...], Path], tuple[int, str, str]]
"""What a call (name and arguments) in a folder ends with: exit code, stdout and stderr."""

_STUB = """\
#!/bin/bash
exec 3<>/dev/tcp/127.0.0.1/{port}
printf '%s\\0' "$#" "$PWD" {name} "$@" >&3
IFS= read -r code <&3
IFS= read -r error <&3
[ -z "$error" ] || echo "$error" >&2
cat <&3
exit "$code"
"""


@contextmanager
def on_path(folder: Path, names: Iterable[str], answer: Answer) -> Iterator[None]:
    """Put programs into a folder, for as long as this lasts; their calls are answered one by one."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            received = b""
            while received.count(b"\0") < 3 or received.count(b"\0") < int(received.partition(b"\0")[0]) + 3:
                received += self.connection.recv(65536)
            place, *call = (word.decode() for word in received.split(b"\0")[1:-1])
            code, out, error = answer(tuple(call), Path(place))
            self.wfile.write(f"{code}\n{' '.join(error.split())}\n{out}".encode())

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            (folder / name).write_text(_STUB.format(port=server.server_address[1], name=name))
            (folder / name).chmod(0o755)
        yield
        server.shutdown()
