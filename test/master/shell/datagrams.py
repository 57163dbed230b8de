"""datagrams.py [--descriptor] [--full] ADDRESS COMMAND…

Plays systemd for one process: binds ADDRESS (a path, or @name), runs COMMAND with NOTIFY_SOCKET, and prints every datagram as a
JSON line {"pid": sender, "at": monotonic ns, "text": …} until COMMAND has ended. COMMAND's own output goes the same way.
  --descriptor  passes a connected socket as descriptor 3, named "notify", as OpenFile= does; no NOTIFY_SOCKET
  --full        fills the queue first, and reads nothing before COMMAND sends SIGUSR1
"""

import json
import os
import signal
import socket
import struct
import sys
import time

options = [word for word in sys.argv[1:] if word.startswith("--")]
address, *command = [word for word in sys.argv[1:] if not word.startswith("--")]
name = "\0" + address[1:] if address.startswith("@") else address

inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
inbox.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
inbox.bind(name)
inbox.settimeout(0.05)

signal.signal(signal.SIGUSR1, lambda *_: None)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
if "--full" in options:
    filler = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    filler.setblocking(False)
    try:
        while True:
            filler.sendto(b"FILL", name)
    except BlockingIOError:
        pass

child = os.fork()
if child == 0:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
    env = dict(os.environ)
    if "--descriptor" in options:
        outbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        outbox.connect(name)
        os.dup2(outbox.fileno(), 3)
        os.set_inheritable(3, True)
        env.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="notify")
    else:
        env["NOTIFY_SOCKET"] = address
    env["WATCHDOG_PID"] = str(os.getpid())
    os.execvpe(command[0], command, env)

if "--full" in options:
    signal.sigwait([signal.SIGUSR1])

ended = False
while True:
    try:
        data, ancillary, _, _ = inbox.recvmsg(65536, 1024)
        at = time.monotonic_ns()
    except TimeoutError:
        if ended:
            break
        ended = os.waitpid(child, os.WNOHANG)[0] != 0
        continue
    pid = None
    for level, kind, value in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
            pid = struct.unpack("3i", value[:12])[0]
        elif level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            for (descriptor,) in struct.iter_unpack("i", value):
                os.close(descriptor)
    sys.stdout.write(json.dumps({"pid": pid, "at": at, "text": data.decode()}) + "\n")  # in one write: COMMAND writes there too
    sys.stdout.flush()
