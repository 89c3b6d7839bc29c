#include "chains.h"

#include <string.h>

#include <structmember.h>

#include "internals.h"

enum { MAX_STEPS = 40, NAME_ROOM = 120, LOOKED_AT = 200000, MAX_BASES = 64 };

/* -- types -- */

static bool is_ascii(PyObject *str, const char *text) {
    return PyUnicode_CheckExact(str) && PyUnicode_IS_READY(str) && PyUnicode_IS_ASCII(str) &&
           (size_t)PyUnicode_GET_LENGTH(str) == strlen(text) &&
           !memcmp(PyUnicode_1BYTE_DATA(str), text, strlen(text));
}

/* Without a look-up: that would ask keys whether they are equal, which may be the application's to say. */
static PyObject *member(PyObject *dict, const char *name) {
    Py_ssize_t at = 0;
    PyObject *key, *value;
    while (dict && PyDict_Next(dict, &at, &key, &value))
        if (is_ascii(key, name))
            return value;
    return NULL;
}

static bool is_heap_type(const PyTypeObject *type) {
    return type->tp_flags & Py_TPFLAGS_HEAPTYPE && ((PyHeapTypeObject *)type)->ht_qualname;
}

static PyObject *module_of(PyTypeObject *type) {
    PyObject *module = is_heap_type(type) ? member(type->tp_dict, "__module__") : NULL;
    return module && PyUnicode_CheckExact(module) ? module : NULL;
}

void write_type_module(Writer *writer, PyTypeObject *type) {
    PyObject *module = module_of(type);
    const char *dot = strrchr(type->tp_name, '.');
    if (module) {
        write_str(writer, module, NAME_ROOM);
        return;
    }
    write_quote(writer);
    char name[NAME_ROOM] = "builtins";
    if (dot && dot - type->tp_name < NAME_ROOM) {
        memcpy(name, type->tp_name, (size_t)(dot - type->tp_name));
        name[dot - type->tp_name] = 0;
    }
    write_piece(writer, name);
    write_unquote(writer);
}

static void write_type_piece(Writer *writer, PyTypeObject *type) {
    PyObject *module = module_of(type);
    if (!is_heap_type(type)) {
        write_piece(writer, type->tp_name);
        return;
    }
    if (module && !is_ascii(module, "builtins")) {
        write_str_piece(writer, module, NAME_ROOM);
        write_piece(writer, ".");
    }
    write_str_piece(writer, ((PyHeapTypeObject *)type)->ht_qualname, NAME_ROOM);
}

void write_type(Writer *writer, PyTypeObject *type) {
    write_quote(writer);
    write_type_piece(writer, type);
    write_unquote(writer);
}

/* -- references -- */

/* A member of an object's structure: a slot, or what a type of C tells of. NULL: it is none. */
static const char *slot_of(PyObject *from, const PyObject *to) {
    PyTypeObject *type = Py_TYPE(from);
    for (int bases = 0; type && bases < MAX_BASES; bases++, type = type->tp_base) {
        for (const PyMemberDef *slot = type->tp_members; slot && slot->name; slot++) {
            bool object = slot->type == T_OBJECT || slot->type == T_OBJECT_EX;
            if (object && slot->offset > 0 && *(PyObject **)((char *)from + slot->offset) == to)
                return slot->name;
        }
    }
    return NULL;
}

/* The dict of a module, class or object, which holds its attributes. */
static bool is_namespace(const Walk *walk, Node node) {
    PyObject *object = walk->object[node], *owner = node ? walk->object[walk->parent[node]] : NULL;
    if (!object || !owner || !PyDict_CheckExact(object) || PyDict_Check(owner) || PyList_Check(owner) ||
        PyTuple_Check(owner))
        return false;
    if (PyModule_Check(owner))
        return PyModule_GetDict(owner) == object;
    if (PyType_Check(owner))
        return internals_type_dict((PyTypeObject *)owner) == object;
    if (PyFunction_Check(owner))
        return ((PyFunctionObject *)owner)->func_globals == object ||
               ((PyFunctionObject *)owner)->func_dict == object;
    bool has_one = Py_TYPE(owner)->tp_flags & Py_TPFLAGS_MANAGED_DICT || Py_TYPE(owner)->tp_dictoffset != 0;
    return has_one && !internals_attribute(owner, object) && !slot_of(owner, object);
}

/* "[str]" or ".name". False: it is not in there. */
static bool write_dict_link(Writer *writer, PyObject *dict, const PyObject *to, bool names) {
    Py_ssize_t at = 0, looked = 0;
    PyObject *key, *value;
    while (PyDict_Next(dict, &at, &key, &value) && looked++ < LOOKED_AT) {
        if (key == to) {
            write_text(writer, "(key)");
            return true;
        }
        if (value != to)
            continue;
        write_quote(writer);
        write_piece(writer, names ? "." : "[");
        if (names && PyUnicode_CheckExact(key))
            write_str_piece(writer, key, NAME_ROOM);
        else
            write_type_piece(writer, Py_TYPE(key));
        write_piece(writer, names ? "" : "]");
        write_unquote(writer);
        return true;
    }
    return false;
}

static bool write_index_link(Writer *writer, PyObject *const *items, Py_ssize_t count, const PyObject *to) {
    for (Py_ssize_t at = 0; at < count && at < LOOKED_AT; at++) {
        if (items[at] != to)
            continue;
        write_quote(writer);
        write_piece(writer, "[");
        write_number_piece(writer, (uint64_t)at);
        write_piece(writer, "]");
        write_unquote(writer);
        return true;
    }
    return false;
}

static bool write_member(Writer *writer, const char *name, PyObject *str) {
    write_quote(writer);
    write_piece(writer, ".");
    if (str)
        write_str_piece(writer, str, NAME_ROOM);
    else
        write_piece(writer, name);
    write_unquote(writer);
    return true;
}

static bool write_slot_link(Writer *writer, PyObject *from, const PyObject *to) {
    const char *name = slot_of(from, to);
    return name && write_member(writer, name, NULL);
}

/* What functions and cells refer to stands in no table. */
static bool write_function_link(Writer *writer, PyObject *from, const PyObject *to) {
    static const struct {
        const char *name;
        size_t offset;
    } parts[] = {{"__defaults__", offsetof(PyFunctionObject, func_defaults)},
                 {"__kwdefaults__", offsetof(PyFunctionObject, func_kwdefaults)},
                 {"__closure__", offsetof(PyFunctionObject, func_closure)},
                 {"__code__", offsetof(PyFunctionObject, func_code)},
                 {"__annotations__", offsetof(PyFunctionObject, func_annotations)}};
    if (PyCell_Check(from) && PyCell_GET(from) == to)
        return write_member(writer, "cell_contents", NULL);
    for (size_t at = 0; PyFunction_Check(from) && at < sizeof parts / sizeof *parts; at++)
        if (*(PyObject **)((char *)from + parts[at].offset) == to)
            return write_member(writer, parts[at].name, NULL);
    return false;
}

static bool write_local_link(Writer *writer, const Running *running, const PyObject *to) {
    for (int at = 0; at < running->code->co_nlocalsplus; at++) {
        if (running->locals[at] != to)
            continue;
        write_quote(writer);
        write_str_piece(writer, PyTuple_GET_ITEM(running->code->co_localsplusnames, at), NAME_ROOM);
        write_unquote(writer);
        return true;
    }
    return false;
}

static bool write_known_link(Writer *writer, const Walk *walk, Node from, PyObject *to) {
    PyObject *object = walk->object[from];
    Running running;
    PyObject *name;
    if (!object) {
        const Root *root = from ? &walk->roots[from - 1] : NULL;
        return root && root->kind == ROOT_FRAME &&
               write_local_link(writer, &(Running){root->code, root->locals}, to);
    }
    if ((PyObject *)Py_TYPE(object) == to) {
        write_text(writer, "(type)");
        return true;
    }
    if (PyDict_Check(object) && write_dict_link(writer, object, to, is_namespace(walk, from)))
        return true;
    if (PyList_Check(object))
        return write_index_link(writer, ((PyListObject *)object)->ob_item, Py_SIZE(object), to);
    if (PyTuple_Check(object))
        return write_index_link(writer, ((PyTupleObject *)object)->ob_item, Py_SIZE(object), to);
    if ((name = internals_attribute(object, to)))
        return write_member(writer, NULL, name);
    if (internals_generator(object, &running))
        return write_local_link(writer, &running, to);
    return write_function_link(writer, object, to) || write_slot_link(writer, object, to);
}

static void write_link(Writer *writer, const Walk *walk, Node from, PyObject *to) {
    PyObject *object = walk->object[from];
    if (write_known_link(writer, walk, from, to))
        return;
    write_text(writer, object && PyAnySet_Check(object) ? "(element)" : "");
}

/* -- the way from a root -- */

void write_root(Writer *writer, const Walk *walk, Node node) {
    const Root *root = &walk->roots[node - 1];
    write_quote(writer);
    if (root->kind == ROOT_MODULE) {
        write_piece(writer, "module ");
        write_str_piece(writer, root->name, NAME_ROOM);
    } else if (root->kind == ROOT_FRAME) {
        write_piece(writer, "local of ");
        write_str_piece(writer, root->code->co_qualname, NAME_ROOM);
        write_piece(writer, " (");
        write_str_piece(writer, root->code->co_filename, NAME_ROOM);
        write_piece(writer, ") in thread ");
        write_number_piece(writer, root->thread);
    } else {
        write_piece(writer, "native code");
    }
    write_unquote(writer);
}

/* [via, type, bytes] */
static void write_step(Writer *writer, const Walk *walk, Node named_by, Node node) {
    write_open(writer, '[');
    if (node <= walk->root_count)
        write_root(writer, walk, node);
    else
        write_link(writer, walk, named_by, walk->object[node]);
    if (walk->object[node])
        write_type(writer, Py_TYPE(walk->object[node]));
    else
        write_text(writer, "");
    write_number(writer, walk->bytes[node]);
    write_close(writer, ']');
}

void write_chain(Writer *writer, const Walk *walk, Node node) {
    Node steps[MAX_STEPS];
    int count = 0;
    bool cut = false;
    for (; node; node = walk->parent[node]) {
        if (count == MAX_STEPS) { /* the end and the root are wanted, not what is between */
            steps[MAX_STEPS - 1] = node;
            cut = true;
        } else {
            steps[count++] = node;
        }
    }
    write_open(writer, '[');
    for (int at = count - 1; at >= 0; at--) {
        if (at > 0 && at < count - 1 && is_namespace(walk, steps[at]))
            continue; /* its owner's attribute, to people */
        write_step(writer, walk, walk->parent[steps[at]], steps[at]);
        if (cut && at == count - 1) {
            write_open(writer, '[');
            write_text(writer, "(more)");
            write_text(writer, "");
            write_number(writer, 0);
            write_close(writer, ']');
        }
    }
    write_close(writer, ']');
}
