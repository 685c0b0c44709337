"""What a submission may try once the guard in the interpreter is out of its way; that falls first.

``WITHOUT_GUARD`` takes it away, in pure Python. What is left are the walls of the operating system: each
action below must be refused by one of them, whatever the mode.
"""

from __future__ import annotations

WITHOUT_GUARD = """
import gc, os, sys, types
import numpy as np

class All:
    def __contains__(self, event): return True

for f in gc.get_objects():
    if type(f) is types.FunctionType and f.__qualname__ == "_hook.<locals>.hook":
        new = {"changes": All(), "own": "/", "real_path": lambda path: "/", "refused": {}, "walled": ()}
        for name, cell in zip(f.__code__.co_freevars, f.__closure__):
            if name in new:
                cell.cell_contents = new[name]
for name in [n for n in sys.modules if n.startswith(("ctypes", "_ctypes"))]:
    del sys.modules[name]
sys.path += [p for p in __PATHS__ if p not in sys.path]

def libc():
    import ctypes
    return ctypes.CDLL(None, use_errno=True)

def syscall(number, *args):
    import ctypes
    library = libc()
    args = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    found = library.syscall(ctypes.c_long(number), *args)
    if found == -1:
        raise OSError(ctypes.get_errno(), "refused")
    return found

def expect(value):
    if not value or value == -1:
        raise OSError("refused")
    return value
"""

ACTIONS: dict[str, str] = {
    # processes
    "fork": "os.fork() or os._exit(0)",
    "forkpty": "os.forkpty()",
    "vfork and exec": "__import__('subprocess').run(['/bin/true'], check=True)",
    "exec": "os.execv(sys.executable, [sys.executable, '-c', 'print(\"ESCAPED\")'])",
    "exec of what it wrote itself": """
open("run", "w").write("#!/bin/sh\\necho ESCAPED")
os.chmod("run", 0o755)
os.execv("run", ["run"])""",
    "spawn": "expect(os.posix_spawn('/bin/true', ['true'], {}))",
    "clone": "syscall(56, 17, 0, 0, 0, 0) or os._exit(0)",
    "clone3": """
import ctypes
size = ctypes.create_string_buffer(88)
syscall(435, size, 88) or os._exit(0)""",
    "kill of its parent": "os.kill(os.getppid(), 9) or os.kill(os.getppid(), 0)",
    "kill of everything": "os.kill(-1, 9)",
    "a signal of no effect": "os.kill(os.getppid(), 0)",
    "tgkill": "syscall(234, os.getppid(), os.getppid(), 9)",
    "tkill": "syscall(200, os.getppid(), 9)",
    "queued signal": "import ctypes\nsyscall(129, os.getppid(), 9, ctypes.create_string_buffer(128))",
    "pidfd": "expect(syscall(434, os.getppid(), 0))",
    "ptrace": "syscall(101, 16, os.getppid(), 0, 0)",
    "memory of another process": """
import ctypes
class Part(ctypes.Structure): _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
room = ctypes.create_string_buffer(8)
here, there = Part(ctypes.addressof(room), 8), Part(0x400000, 8)
syscall(310, os.getppid(), ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
""",
    "memory of its parent as a file": "os.open(f'/proc/{os.getppid()}/mem', os.O_RDONLY)",
    "memory of all processes": """
for name in os.listdir("/proc"):
    if name.isdigit() and int(name) not in (os.getpid(),):
        os.open(f"/proc/{name}/mem", os.O_RDONLY)
        break
else:
    raise OSError""",
    "priority of its parent": "syscall(141, 0, os.getppid(), 19)",
    "limits of its parent": "import resource\nsyscall(302, os.getppid(), 0, b'\\0' * 16, 0)",
    "owner of a file is its parent": """
import fcntl
fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, os.getppid())""",
    # what outlives it
    "System V memory": "expect(libc().shmget(4711, 4096, 0o1666))",
    "System V messages": "syscall(68, 4711, 0o1666)",
    "System V semaphores": "syscall(64, 4711, 1, 0o1666)",
    "POSIX messages": "syscall(240, b'x', 0o102, 0o666, 0)",
    "POSIX memory": "from multiprocessing import shared_memory\nshared_memory.SharedMemory('x', True, 4096)",
    "key in the user's ring": "expect(syscall(248, b'user', b'k', b'v', 1, -4))",
    "memory without a name": "os.memfd_create('x')",
    "file in /tmp": "open('/tmp/../tmp/left', 'w'); os.stat('/tmp/left'); os.stat('/etc/passwd')",
    "file in /var/tmp": "open('/var/tmp/left-by-a-submission', 'w')",
    "file in /dev/shm": "open('/dev/shm/left-by-a-submission', 'w')",
    # the network
    "TCP": "__import__('socket').create_connection(('127.0.0.1', 22), 1)",
    "UDP": "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 53))",
    "a server": "import socket\nsocket.create_server(('127.0.0.1', 0))",
    "abstract socket": "import socket\nsocket.socket(socket.AF_UNIX).bind('\\0left')",
    "socket of a service": "import socket\nsocket.socket(socket.AF_UNIX).connect('/run/dbus/bus')",
    "pair of sockets": "import socket\nsocket.socketpair()",
    "netlink": "import socket\nsocket.socket(16, socket.SOCK_RAW, 0)",
    "raw packets": "import socket\nsocket.socket(17, socket.SOCK_RAW, 3)",
    # files
    "reads /etc/passwd": "expect(open('/etc/passwd').read())",
    "reads root's home": "expect(os.listdir('/root'))",
    "reads the environment of its parent": "expect(open(f'/proc/{os.getppid()}/environ').read())",
    "writes beside Python": "open(os.__file__ + '.x', 'w')",
    "writes beside NumPy": "open(np.__file__ + '.x', 'w')",
    "makes a link to the outside and reads it": "os.symlink('/etc/passwd', 'l')\nexpect(open('l').read())",
    "makes a hard link": "os.link('/etc/passwd', 'h')\nexpect(open('h').read())",
    "a device": "os.mknod('d', 0o60600, os.makedev(8, 0))",
    "memory of the kernel": "os.open('/dev/mem', os.O_RDONLY)",
    # the machine
    "a name space": "syscall(272, 0x10000000)",
    "another root": "syscall(161, b'.')",
    "a mount": "syscall(165, b'none', b'/tmp', b'tmpfs', 0, 0)",
    "a new mount": "expect(syscall(430, b'tmpfs', 0))",
    "a ring of the kernel's": "import ctypes\nexpect(syscall(425, 8, ctypes.create_string_buffer(256)))",
    "a program in the kernel": "expect(syscall(321, 0, b'\\0' * 128, 128))",
    "counters": "import ctypes\nexpect(syscall(298, ctypes.create_string_buffer(128), 0, -1, -1, 0))",
    "page faults of its own": "expect(syscall(323, 0))",
    "the clock": "import time\ntime.clock_settime(time.CLOCK_REALTIME, 0)",
    "another user": "os.setuid(0); os.setuid(1); os.setuid(0)",
    "owns what is root's": "os.chown('/tmp', os.getuid(), os.getuid())",
    "opens what is root's to all": "os.chmod('/tmp', 0o1777)",
    "makes the library older": "os.utime(os.__file__, (0, 0))",
    "another filter": "syscall(317, 0, 0, 0)",
    "the other table of system calls": "expect(syscall(0x40000000 + 39))",
}

LEFT: dict[str, tuple[str, str]] = {
    "a file in its folder": ("open('left', 'w').write('x')", "'left' in os.listdir('.')"),
    "a file beside its folder": (
        "open('../left', 'w').write('x')",
        "any('left' in names for _, _, names in os.walk('..'))",
    ),
    "a module": ("open('left_module.py', 'w').write('')", "__import__('left_module')"),
    "a module in memory": ("sys.modules['left'] = os", "'left' in sys.modules"),
    "a name in NumPy": ("np.left = 1", "hasattr(np, 'left')"),
    "a name in builtins": ("__builtins__['left'] = 1", "'left' in vars(__import__('builtins'))"),
    "a variable of the environment": ("os.environ['LEFT'] = '1'", "'LEFT' in os.environ"),
    "a thread": (
        "import threading; threading.Thread(target=__import__('time').sleep, args=(60,)).start()",
        "__import__('threading').active_count() > 1",
    ),
    "the seed of a generator": ("np.random.seed(1234)", "np.random.random() == 0.1915194503788923"),
    "System V memory": ("libc().shmget(4711, 4096, 0o1666)", "libc().shmget(4711, 4096, 0) > 0"),
    "a message": ("libc().msgget(4711, 0o1666)", "libc().msgget(4711, 0) > 0"),
    "a key": ("syscall(248, b'user', b'left', b'v', 1, -4)", "syscall(249, b'user', b'left', 0, -4) > 0"),
    "POSIX memory": ("open('/dev/shm/left', 'w').write('x')", "os.path.exists('/dev/shm/left')"),
    "a deep folder": (
        "[(os.mkdir('d'), os.chdir('d')) for _ in range(200)]",
        "any('d' in names for _, names, _ in os.walk('..'))",
    ),
    "a locked folder": (
        "os.mkdir('left'); open('left/x', 'w'); os.chmod('left', 0)",
        "'left' in os.listdir('.') or 'left' in os.listdir('..')",
    ),
    "a FIFO": ("os.mkfifo('left')", "'left' in os.listdir('.')"),
    "what it was printed to": ("print('left')", "False"),
}
"""What one submission leaves, and by what the next would find it."""

FRAMES = """
import sys, os
f = sys._getframe(); blobs = out = None
while f is not None:
    for space in (f.f_locals, f.f_globals):
        for name in ("blobs", "frames", "header", "job", "replies", "printed", "known"):
            if name in space: blobs = space[name]
    if f.f_code.co_name == "_run_child": out = f.f_locals.get("results", f.f_locals.get("answers"))
    f = f.f_back
if blobs and out and isinstance(blobs, list) and len(blobs) > 1:
    print("STOLEN")
    os.write(out, b"".join(len(b).to_bytes(8, "big") + b for b in blobs if isinstance(b, bytes)))
    os._exit(0)
"""
"""The finding's attack: the previous student's answers, where the template would keep them."""

OBJECTS = """
import gc
for thing in gc.get_objects():
    parts = thing.values() if type(thing) is dict else thing if isinstance(thing, (list, tuple)) else ()
    for part in list(parts):
        mark = MARK.encode() if isinstance(part, bytes) else MARK
        if isinstance(part, (str, bytes)) and len(part) > 40 and mark in part:
            print("STOLEN", str(part)[:60])
"""
MEMORY = """
import os
read, write = os.pipe()
os.set_blocking(write, False)
own = np.ones(1 << 16)
start = own.__array_interface__["data"][0] & ~0xFFF
found = 0
for k in range(-3000, 3000):
    at = start + k * 4096
    class Page:
        __array_interface__ = {"data": (at, True), "shape": (4096,), "typestr": "|u1", "version": 3}
    try:
        size = os.write(write, np.asarray(Page()))
    except OSError:
        continue
    data = os.read(read, 1 << 16)
    if MARK.encode() in data:
        found += 1
if found > __OWN__:
    print("STOLEN", found)
"""
"""Pages near its own arrays: what is not mapped, the kernel says and nothing crashes."""
