/* What is read, against what Python says. */
#ifndef SONDE_TOOLS_SELFTEST_H
#define SONDE_TOOLS_SELFTEST_H

/* GIL: held, by a thread of Python's. NULL, or a sentence that says what is wrong. No exception is set. */
const char *frames_self_test(void);

#endif
