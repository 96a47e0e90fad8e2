"""Verifies a password with the C reference of Argon2, as often as it is told, and says how long each time took."""

import socket
import sys
from time import perf_counter_ns

from argon2.exceptions import VerifyMismatchError
from argon2.low_level import Type, hash_secret, verify_secret

PASSWORD = b"quiet otter lantern harbour"
STORED = hash_secret(PASSWORD, b"sixteen bytes it", time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, type=Type.ID)


def proves(password: bytes) -> bool:
    try:
        return verify_secret(STORED, password, Type.ID)
    except VerifyMismatchError:
        return False


with socket.create_server(("127.0.0.1", 0)) as listener:
    print("ready", listener.getsockname()[1], flush=True)
    connection, _ = listener.accept()
    with connection, connection.makefile("rw") as control:
        for line in control:
            times = []
            right = True
            for _ in range(int(line)):
                start = perf_counter_ns()
                right &= proves(PASSWORD)
                times.append(perf_counter_ns() - start)
            right &= not proves(b"quiet otter lantern harbor")
            print("right" if right else "wrong", STORED.decode().rsplit("$", 2)[0], *times, file=control, flush=True)
sys.exit(0)
