#include "marks.h"

#include <stdint.h>
#include <string.h>

#include "../../spans/request_now.h"

bool marks_some;

static PyObject *endpoint; /* bytes; NULL: any */
static bool has_trace;
static uint8_t trace[TRACE_ID_BYTES];
static RequestNow *request_now;

int marks_begin(PyObject *wanted_endpoint, PyObject *wanted_trace) {
    marks_end();
    if (!wanted_endpoint && !wanted_trace)
        return 0;
    request_now = (RequestNow *)PyCapsule_Import(REQUEST_NOW_CAPSULE, 0);
    if (!request_now)
        return -1;
    if (wanted_trace) {
        if (!PyBytes_CheckExact(wanted_trace) || PyBytes_GET_SIZE(wanted_trace) != TRACE_ID_BYTES) {
            PyErr_SetString(PyExc_ValueError, "a trace id of 16 bytes is needed");
            return -1;
        }
        memcpy(trace, PyBytes_AS_STRING(wanted_trace), TRACE_ID_BYTES);
        has_trace = true;
    }
    if (wanted_endpoint && !(endpoint = PyUnicode_AsUTF8String(wanted_endpoint)))
        return -1;
    marks_some = true;
    return 0;
}

void marks_end(void) {
    marks_some = has_trace = false;
    Py_CLEAR(endpoint);
}

/* Whether the text is what the pattern says, in which `*` stands for anything. */
static bool globs(const char *pattern, const char *text) {
    const char *star = NULL, *back = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            back = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++back;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

static bool is_endpoint(PyObject *name) {
    const char *text = PyUnicode_AsUTF8(name);
    if (!text)
        PyErr_Clear(); /* a lone surrogate */
    return text && globs(PyBytes_AS_STRING(endpoint), text);
}

bool marks_here(void) {
    uint8_t its_trace[TRACE_ID_BYTES];
    PyObject *name = request_now(its_trace);
    if (!name)
        return false;
    bool marked =
        (!has_trace || !memcmp(trace, its_trace, TRACE_ID_BYTES)) && (!endpoint || is_endpoint(name));
    Py_DECREF(name);
    return marked;
}
