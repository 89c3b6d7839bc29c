/* fork(): what happens to each part's state, in one place and in one order. */
#ifndef SONDE_PROCESS_H
#define SONDE_PROCESS_H

/* See to it that every fork() of this process, whoever calls it, is noticed. Once is enough. Returns 0, or an
 * errno. */
int process_watch_forks(void);

#endif
