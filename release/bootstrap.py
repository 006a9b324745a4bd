"""Start upgrade-gate from its one file: this becomes `__main__.py` of `upgrade-gate.pyz` (`release/single_file.py`).

Libraries with compiled parts cannot be imported from a zip, so what is packed is unpacked once. At every start it is
held against the manifest: every file there with its size, none beside, those of upgrade-gate itself with their digest.
For rules are found by the names of their files: where a cleaner of old files had taken one, a gate without that rule
could pass.

The interpreter runs isolated and without `site`: neither PYTHONPATH, nor the working folder, nor packages of the
machine lend it a module. Until that is so, only modules are used that are part of the interpreter itself.

Every Python from 3.6 on can read this file, so that one that is too old says so.
"""

import posix
import sys
import zipimport

CHOSEN = "UPGRADE_GATE_PYZ_DIR"
"""The variable that chooses the folder to unpack in."""
OWN = "upgrade_gate/"
CHOOSE = (
    f"set {CHOSEN} to a folder in which only you can write and from which libraries may be loaded (no noexec mount)"
)


def start() -> None:
    """Run the command line from the unpacked files; exits with 1, which is never a verdict, where that cannot be."""
    archive = zipimport.zipimporter(sys.argv[0])
    manifest = archive.get_data("manifest")
    head, *lines = manifest.decode().splitlines()
    built = head.split()
    here = [sys.implementation.cache_tag, sys.platform, posix.uname().machine]
    if built != here:
        hint = f"run it as `{built[0].replace('cpython-3', 'python3.')} {sys.argv[0]}`, or make one for this machine"
        stop(f"this file is for {' '.join(built)}, and this is {' '.join(here)}", hint)
    if not (sys.flags.isolated and sys.flags.no_site):
        posix.execv(sys.executable, [sys.executable, "-I", "-S", *sys.argv])

    import hashlib
    import os

    files = {}
    for line in lines:
        digest, size, name = line.split(" ", 2)
        files[name] = digest, int(size)
    base = place()
    target = os.path.join(base, hashlib.sha256(manifest).hexdigest())
    try:
        os.makedirs(base, mode=0o700, exist_ok=True)
        hold_safe(base)
        if not whole(target, files):
            unpack(target, files, archive)
    except OSError as exc:
        stop(f"cannot unpack into {base}: {exc.strerror}", CHOOSE)

    sys.path[:] = [*(entry for entry in sys.path if entry != sys.argv[0]), os.path.join(target, "packages")]
    sys.pycache_prefix = os.path.join(target, "bytecode")  # beside the files, so that among them nothing is strange
    try:
        if "_complete-" in os.path.basename(sys.argv[0]):  # a link of the name that `oc` and `kubectl` ask
            from upgrade_gate.cli.plugin_completion import console
        else:
            from upgrade_gate.cli import console
    except ImportError as exc:
        stop(f"a library cannot be loaded: {exc}", CHOOSE)
    sys.exit(console())


def stop(reason: str, hint: str) -> None:
    """End the run, and say first that no verdict was reached (docs/contract.md#exit-codes)."""
    sys.stderr.write(f"error: no verdict was reached: {reason}\nhint: {hint}\n")
    sys.exit(1)


def stop_damaged(reason: str) -> None:
    """End the run, since the file is not what was made."""
    stop(f"{sys.argv[0]} is damaged: {reason}", "fetch it again and check its digest")


def place() -> str:
    """Return the folder to unpack in: the one that was chosen, else one of the user's cache folder."""
    import os

    cache = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(cache):  # the XDG base directory specification: such a value is to be ignored
        cache = os.path.join(os.path.expanduser("~"), ".cache")
    folder = os.environ.get(CHOSEN) or os.path.join(cache, "upgrade-gate-pyz")
    if not os.path.isabs(folder):
        stop(f"{folder} is no absolute path", CHOOSE)
    return os.path.realpath(folder)


def hold_safe(base: str) -> None:
    """Stop where another user could put something into the folder, or put another folder into its place.

    Each folder up to the root must belong to this user or to root, and only they may write there. In a sticky one
    (`/tmp`) others may write, since they cannot rename what is not theirs. A group counts as the owner where it is
    root's, or has the number of this user (a group for each user, as Red Hat's and Debian's tools make them).
    """
    import os
    import stat

    me = os.geteuid()
    while True:
        found = os.lstat(base)
        group = found.st_mode & stat.S_IWGRP and found.st_gid not in (0, me)
        writable = (group or found.st_mode & stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX
        if found.st_uid not in (0, me) or writable:
            stop(f"others may write in {base}", CHOOSE)
        if base == os.path.dirname(base):
            return
        base = os.path.dirname(base)


def whole(target: str, files: "dict[str, tuple[str, int]]") -> bool:
    """Return whether all files are unpacked as the manifest has them, and no others; stop where others may enter."""
    import hashlib
    import os
    import stat

    try:
        found = os.lstat(target)
    except FileNotFoundError:
        return False
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        stop(f"{target} is not a folder of yours alone (mode 0700)", f"remove it, or {CHOOSE}")
    top = os.path.join(target, "packages")
    count = 0
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            entries = list(os.scandir(os.path.join(top, folder)))
        except FileNotFoundError:
            return False
        for entry in entries:
            name = folder + entry.name
            if entry.is_dir(follow_symlinks=False):
                folders.append(name + "/")
                continue
            digest, size = files.get(name, ("", -1))
            if not entry.is_file(follow_symlinks=False) or entry.stat(follow_symlinks=False).st_size != size:
                return False
            if name.startswith(OWN):
                with open(entry.path, "rb") as stream:
                    if hashlib.sha256(stream.read()).hexdigest() != digest:
                        return False
            count += 1
    return count == len(files)


def unpack(target: str, files: "dict[str, tuple[str, int]]", archive: zipimport.zipimporter) -> None:
    """Unpack beside the target and rename: it is there whole or not at all. Starts at once wait for the first.

    What was cut off by a kill is removed by the next one, since nobody else can be at work under the lock.
    Raises OSError where the folder cannot be written.
    """
    import fcntl
    import hashlib
    import io
    import os
    import shutil
    import tempfile
    import zipfile
    import zlib

    base = os.path.dirname(target)
    lock = os.open(os.path.join(base, ".lock"), os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if whole(target, files):
            return
        for name in os.listdir(base):
            if name.startswith(".new-"):
                shutil.rmtree(os.path.join(base, name))
        fresh = tempfile.mkdtemp(prefix=".new-", dir=base)
        with zipfile.ZipFile(io.BytesIO(archive.get_data("packages.zip"))) as packed:
            for name, (digest, _) in files.items():
                content = packed.read(name)
                if hashlib.sha256(content).hexdigest() != digest:
                    stop_damaged(f"{name} has another digest")
                path = os.path.join(fresh, "packages", name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "xb") as stream:
                    stream.write(content)
        if os.path.lexists(target):
            os.rename(target, fresh + ".damaged")
        os.rename(fresh, target)
        shutil.rmtree(fresh + ".damaged", ignore_errors=True)
    except (zipfile.BadZipFile, zlib.error, KeyError) as exc:
        stop_damaged(str(exc))
    finally:
        os.close(lock)


if __name__ == "__main__":
    start()
