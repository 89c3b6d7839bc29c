"""Numbers of system calls that a thread may stand in, and their names."""

from __future__ import annotations

import platform

_X86_64 = (
    "0 read 1 write 2 open 3 close 4 stat 5 fstat 7 poll 9 mmap 10 mprotect 11 munmap 12 brk 16 ioctl 17 pread64 "
    "18 pwrite64 19 readv 20 writev 23 select 24 sched_yield 25 mremap 26 msync 28 madvise 34 pause 35 nanosleep "
    "40 sendfile 42 connect 43 accept 44 sendto 45 recvfrom 46 sendmsg 47 recvmsg 48 shutdown 56 clone 57 fork "
    "58 vfork 59 execve 61 wait4 70 msgrcv 72 fcntl 73 flock 74 fsync 75 fdatasync 76 truncate 77 ftruncate "
    "82 rename 83 mkdir 87 unlink 89 readlink 128 rt_sigtimedwait 130 rt_sigsuspend 162 sync 202 futex "
    "208 io_getevents 217 getdents64 219 restart_syscall 220 semtimedop 230 clock_nanosleep 232 epoll_wait "
    "243 mq_timedreceive 247 waitid 257 openat 262 newfstatat 263 unlinkat 264 renameat 270 pselect6 271 ppoll "
    "275 splice 277 sync_file_range 281 epoll_pwait 285 fallocate 288 accept4 295 preadv 296 pwritev "
    "299 recvmmsg 307 sendmmsg 316 renameat2 318 getrandom 326 copy_file_range 327 preadv2 328 pwritev2 "
    "332 statx 426 io_uring_enter 435 clone3 441 epoll_pwait2"
)
"""Source: the kernel's arch/x86/entry/syscalls/syscall_64.tbl."""
_GENERIC = (
    "4 io_getevents 22 epoll_pwait 25 fcntl 29 ioctl 32 flock 35 unlinkat 38 renameat 45 truncate 46 ftruncate "
    "47 fallocate 56 openat 57 close 61 getdents64 63 read 64 write 65 readv 66 writev 67 pread64 68 pwrite64 "
    "69 preadv 70 pwritev 71 sendfile 72 pselect6 73 ppoll 76 splice 80 fstat 81 sync 82 fsync 83 fdatasync "
    "84 sync_file_range 95 waitid 98 futex 101 nanosleep 115 clock_nanosleep 124 sched_yield 128 restart_syscall "
    "133 rt_sigsuspend 137 rt_sigtimedwait 188 msgrcv 192 semtimedop 202 accept 203 connect 206 sendto "
    "207 recvfrom 210 shutdown 211 sendmsg 212 recvmsg 214 brk 215 munmap 216 mremap 220 clone 221 execve "
    "222 mmap 226 mprotect 227 msync 233 madvise 242 accept4 243 recvmmsg 260 wait4 269 sendmmsg 276 renameat2 "
    "278 getrandom 285 copy_file_range 286 preadv2 287 pwritev2 291 statx 426 io_uring_enter 435 clone3 "
    "441 epoll_pwait2"
)
"""Source: the kernel's include/uapi/asm-generic/unistd.h, which aarch64 follows."""


def _table(text: str) -> dict[int, str]:
    words = text.split()
    return dict(zip(map(int, words[::2]), words[1::2], strict=True))


_NAMES = _table(_X86_64 if platform.machine() == "x86_64" else _GENERIC)


def call_name(number: int) -> str:
    """Of the system call; empty for -1, which is none."""
    return "" if number < 0 else _NAMES.get(number, f"number {number}")
