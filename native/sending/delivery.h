/* From the rings over the connection to the agent: HELLO, batches of spans, STATUS; and when to try again. No
   Python in here. Used by the sender's thread alone, but for delivery_reset. */
#ifndef SONDE_DELIVERY_H
#define SONDE_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "connection.h"

/* Forget about the last connection. While no sender runs: for another target, and in a forked child. */
void delivery_reset(void);

/* Send frames until the rings are empty. `at_once`: try to connect even if the last attempt has only just
   failed. False: not all went. `sent` tells whether any did. */
bool delivery_send_all(bool at_once, bool *sent, Expired expired);

/* Send the counters where the agent has not heard of a change yet: each STATUS_EVERY, or `at_once`. */
void delivery_report(bool at_once, Expired expired);

/* An agent that has been there and has gone is looked for, also where nothing is to be sent: whoever is at
   its place may want something of this process. */
void delivery_look_for_agent(Expired expired);

/* When it is time for that; UINT64_MAX: it is not. */
uint64_t delivery_look_at_ns(void);

/* When it is time for the next attempt to connect; 0: any time. */
uint64_t delivery_retry_at_ns(void);

/* When it is time for the next STATUS; UINT64_MAX: there is no news. */
uint64_t delivery_report_at_ns(void);

#endif
