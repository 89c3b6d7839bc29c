/* The Python frames of any thread of this process, read without the GIL and without stopping anybody: a
   thread that runs goes on running, so what is read may change meanwhile. Each address is read by the kernel
   for us (process_vm_readv, else /proc/self/mem), so that one that is no longer mapped is an answer and no
   crash; what comes back is believed only where its type is right.

   CPython 3.11 to 3.13 with a GIL, the main interpreter. Elsewhere, and where the self-test fails, nothing is
   available and says why.

   Every extension that includes this has its own copy of the code and its state (see setup.py): each calls
   frames_init() itself. Nothing here allocates, takes a lock, takes the GIL or sets an exception, unless
   said. Those that read other threads make system calls (process_vm_readv, pread); whoever hooks system calls
   leaves his own extension out. */
#ifndef SONDE_TOOLS_FRAMES_H
#define SONDE_TOOLS_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One frame. Both are plain numbers: nothing is kept alive. */
typedef struct {
    uintptr_t code; /* address of the code object */
    int32_t instr;  /* offset of the instruction in bytes, as f_lasti; negative: not begun */
} FrameRef;

/* One thread that Python knows. */
typedef struct {
    uintptr_t state;    /* address of its PyThreadState */
    uint64_t thread_id; /* as threading.get_ident() */
    pid_t tid;          /* as threading.get_native_id() */
    bool holds_gil;     /* at the moment of reading */
} FrameThread;

/* Where a walk of another thread puts what it reads; one per thread that walks, a static or a member: it is
   too large for a small stack. Needs no initialisation but zeros. */
enum { FRAME_SCRATCH_BYTES = 64 << 10 };
typedef struct {
    uintptr_t from; /* of what stands in bytes */
    size_t used;
    uintptr_t state, slot, chunk, top; /* where the last thread kept its frames: looked at first */
    _Alignas(16) uint8_t bytes[FRAME_SCRATCH_BYTES];
} FrameScratch;

enum {
    FRAMES_GONE = -1, /* the thread has ended, or is not there yet */
    FRAMES_TORN = -2, /* it moved under our eyes; the next look will do */
};

/* Find the way to read memory and check all below against what Python itself says of this thread, once in a
   process: a second call answers what the first found. A forked child goes on with it.
   In another interpreter than the main one it is false, and found nothing out.
   GIL: held, from a thread of Python's. May call Python and allocate; sets no exception.
   Returns whether frames can be read. */
bool frames_init(void);

/* What frames_init() found. Any thread. */
bool frames_available(void);

/* A sentence; empty where frames are available. Static text. */
const char *frames_why_not(void);

/* How memory is read: "process_vm_readv", "/proc/self/mem", or empty. */
const char *frames_way(void);

/* The frames of the calling thread, the innermost first, at most `room`; how many. 0: it is no thread of
   Python's, or runs no Python. Plain loads and no system call: its own frames do not move while it looks.
   GIL: held or not (a thread inside of a system call is right). Not from a signal handler. */
int frames_walk_own(FrameRef *out, int room);

/* All threads of the main interpreter, the newest first, at most `room`; how many. */
int frames_threads(FrameThread *out, int room);

/* The same; `*whole`: that was all of them. Else some are only being made, and have no native id yet. */
int frames_threads_so_far(FrameThread *out, int room, bool *whole);

/* FrameThread.state of the thread that holds the GIL now; 0: nobody. */
uintptr_t frames_gil_holder(void);

/* The same, and how many threads Python has ever had: a list of before is whole while that is the same. One
 * read. */
uintptr_t frames_pulse(uint64_t *births);

/* The thread with this native id. Reads the list: keep what it gives. False: there is none. */
bool frames_find(pid_t tid, FrameThread *out);

/* The frames of a thread, the innermost first: how many, at most `room` (then there may be more further out),
   or FRAMES_GONE, FRAMES_TORN. 0: it runs no Python. Works for a thread that is stuck, holds the GIL or does
   not. What a running thread gives is a stack it had, its innermost frame within microseconds of now. */
int frames_walk(const FrameThread *thread, FrameScratch *scratch, FrameRef *out, int room);

/* What people read. The caller brings `name` and `file` with their room; texts are UTF-8, always ended by 0;
   a name too long loses its end, a file its beginning. */
typedef struct {
    char *name; /* qualified name */
    size_t name_room;
    char *file;
    size_t file_room;
    int32_t first_line, line; /* line: 0 where the instruction has none */
} FrameSymbol;

/* Look a frame up, soon after it was read: a code object may end, and the address be another's.
   False: no code object is there (any more); the texts are empty, the lines 0. */
bool frames_symbol(const FrameRef *frame, FrameSymbol *out);

/* Only the line, for a code object that was looked up before; 0 where there is none. */
int32_t frames_line(const FrameRef *frame);

/* What tells two code objects at one address apart; 0: none is there. One read. */
uint64_t frames_code_print(uintptr_t code);

/* CPU time that a thread has used, in ns; 0 where the thread is gone. One system call. Two equal answers mean
   that it has not run in between. */
uint64_t frames_thread_cpu_ns(pid_t tid);

#endif
