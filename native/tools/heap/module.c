/* sonde.probe.tools._heap: what fills this process's memory. What it is for is said in probe/tools/heap.py.
 */
#include "../../python/module_of.h"

#include <errno.h>

#include "dominators.h"
#include "image.h"
#include "memory.h"
#include "report.h"
#include "room.h"
#include "seen.h"
#include "sizes.h"
#include "walk.h"

enum { REPORT_BYTES = 2 << 20 };

static const char IMAGE[] = "sonde.heap.image", SEEN[] = "sonde.heap.seen";

typedef struct {
    Image image;
    Writer *writer; /* shared, its text behind it */
    Seen *seen;     /* what this image held, for a later one; NULL: not wanted, or given away */
    const Seen *before;
    PyObject *before_kept; /* the capsule of `before`; owned */
    Node objects;
    PyObject *modules; /* owned */
    const PyThreadState *own;
} Look;

/* -- in the other process -- */

static void keep(Seen *seen, const Walk *walk) {
    for (Node node = 1; node < walk->count; node++)
        if (walk->object[node])
            seen_add(seen, walk->object[node], walk->bytes[node]);
}

static void look(void *given) {
    Look *look = given;
    Walk walk;
    Dominators dominators;
    look->writer->text = (char *)(look->writer + 1);
    if (!walk_begin(&walk, look->objects))
        return;
    walk_all(&walk, look->modules, look->own);
    if (look->seen)
        keep(look->seen, &walk);
    bool dominated = dominators_find(&walk, &dominators);
    report_write(look->writer, &walk, dominated ? &dominators : NULL, look->before);
}

/* -- here -- */

static void drop(Look *look) {
    image_end(&look->image);
    room_end(look->writer, sizeof(Writer) + REPORT_BYTES);
    seen_end(look->seen);
    Py_CLEAR(look->before_kept);
    Py_CLEAR(look->modules);
    PyMem_Free(look);
}

static void image_gone(PyObject *capsule) {
    drop(PyCapsule_GetPointer(capsule, IMAGE));
}

static void seen_gone(PyObject *capsule) {
    seen_end(PyCapsule_GetPointer(capsule, SEEN));
}

static PyObject *take(PyObject *Py_UNUSED(module), PyObject *args) {
    unsigned objects;
    int keeps;
    PyObject *modules, *before, *deque, *array;
    if (!PyArg_ParseTuple(args, "IO!OpOO", &objects, &PyDict_Type, &modules, &before, &keeps, &deque, &array))
        return NULL;
    Look *mine = PyMem_Calloc(1, sizeof *mine);
    if (!mine)
        return PyErr_NoMemory();
    mine->objects = objects;
    mine->own = PyThreadState_Get();
    mine->modules = Py_NewRef(modules);
    mine->writer = room_new(sizeof(Writer) + REPORT_BYTES, 1);
    mine->seen = keeps ? seen_new(objects) : NULL;
    if (before != Py_None) {
        mine->before = PyCapsule_GetPointer(before, SEEN);
        mine->before_kept = Py_NewRef(before);
    }
    if (PyErr_Occurred() || !mine->writer || (keeps && !mine->seen)) {
        drop(mine);
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    mine->writer->room = REPORT_BYTES;
    sizes_init(deque == Py_None ? NULL : deque, array == Py_None ? NULL : array);
    if (image_take(&mine->image, look, mine) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        drop(mine);
        return NULL;
    }
    PyObject *capsule = PyCapsule_New(mine, IMAGE, image_gone);
    if (!capsule)
        drop(mine);
    return capsule;
}

static PyObject *ended(PyObject *Py_UNUSED(module), PyObject *capsule) {
    Look *mine = PyCapsule_GetPointer(capsule, IMAGE);
    return mine ? PyBool_FromLong(image_ended(&mine->image)) : NULL;
}

static PyObject *end(PyObject *Py_UNUSED(module), PyObject *capsule) {
    Look *mine = PyCapsule_GetPointer(capsule, IMAGE);
    if (!mine)
        return NULL;
    image_end(&mine->image);
    Py_RETURN_NONE;
}

static PyObject *outcome(PyObject *Py_UNUSED(module), PyObject *capsule) {
    Look *mine = PyCapsule_GetPointer(capsule, IMAGE);
    if (!mine)
        return NULL;
    return Py_BuildValue("{s:i,s:K,s:K,s:O,s:y#}", "status", mine->image.status, "pause_ns",
                         mine->image.pause_ns, "cpu_ns", mine->image.cpu_ns, "full",
                         mine->writer->full ? Py_True : Py_False, "report", (char *)(mine->writer + 1),
                         (Py_ssize_t)mine->writer->used);
}

static PyObject *seen(PyObject *Py_UNUSED(module), PyObject *capsule) {
    Look *mine = PyCapsule_GetPointer(capsule, IMAGE);
    if (!mine)
        return NULL;
    if (!mine->seen)
        Py_RETURN_NONE;
    PyObject *made = PyCapsule_New(mine->seen, SEEN, seen_gone);
    if (made)
        mine->seen = NULL;
    return made;
}

static PyObject *needs(PyObject *Py_UNUSED(module), PyObject *given) {
    unsigned long objects = PyLong_AsUnsignedLong(given);
    if (PyErr_Occurred())
        return NULL;
    return PyLong_FromSize_t(walk_bytes((Node)objects) + dominators_bytes((Node)objects) + REPORT_BYTES);
}

static PyObject *size(PyObject *Py_UNUSED(module), PyObject *object) {
    return PyLong_FromSize_t(size_of(object));
}

static PyObject *set_types(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *deque, *array;
    if (!PyArg_ParseTuple(args, "OO", &deque, &array))
        return NULL;
    sizes_init(deque, array);
    Py_RETURN_NONE;
}

static PyObject *objects_text(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    return memory_objects();
}

static PyObject *native(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    return memory_native();
}

static PyMethodDef methods[] = {
    {"take", take, METH_VARARGS, "Take an image, and have a process look at it."},
    {"ended", ended, METH_O, "Whether that process has ended."},
    {"end", end, METH_O, "End it."},
    {"outcome", outcome, METH_O, "What it found, and what it cost."},
    {"seen", seen, METH_O, "Once: what a later image is compared with, if that was wanted."},
    {"needs", needs, METH_O, "Bytes that it takes to look at so many objects."},
    {"size", size, METH_O, "Bytes of an object itself."},
    {"set_types", set_types, METH_VARARGS, "deque and array, for their sizes."},
    {"objects", objects_text, METH_NOARGS, "What the allocator of objects says of itself."},
    {"native", native, METH_NOARGS, "What the C library's allocator says of itself."},
    {0},
};

MODULE_OF_MAIN_INTERPRETER(_heap, "What fills memory.", methods, begins_empty,
                           "the heap is looked at from the main interpreter only")
