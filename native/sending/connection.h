/* The unix socket to the host's agent. Writes whole frames or none: half a frame ends with its connection.
   The frame format is that of src/sonde/wire/frames.py. No Python in here. Used by the sender's thread alone,
   but for what belongs to fork(). */
#ifndef SONDE_CONNECTION_H
#define SONDE_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum { FRAME_HELLO = 1, FRAME_TRACES = 2, FRAME_STATUS = 5, FRAME_HEADER_BYTES = 8, MAX_PATH_BYTES = 107 };

/* Asked between two attempts of a write that makes no progress: true gives it up. */
typedef bool (*Expired)(void);

/* The header in front of a payload. */
void frame_header(uint8_t header[FRAME_HEADER_BYTES], uint8_t kind, size_t payload_bytes);

/* False where nobody listens at `path`. */
bool connection_open(const char *path);

bool connection_is_open(void);

/* Write one frame, header included, in pieces (they are used up). False: the connection broke, the agent took
   nothing for STALLED_AFTER, or `expired`; the connection is closed. */
bool connection_send(struct iovec *pieces, size_t count, Expired expired);

void connection_close(void);

/* Read what the agent has said, without waiting; whole frames go into the inboxes, but for commands that are
   answered at once. What is no frame ends the connection. */
void connection_receive(void);

/* The descriptor on which the agent may say something; -1: there is none. */
int connection_listens(void);

/* Around fork(). The child closes its copy of the parent's socket. */
void connection_before_fork(void);
void connection_after_fork_in_parent(void);
void connection_after_fork_in_child(void);

#endif
