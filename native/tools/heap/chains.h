/* What types and references are called, and the way from a root to an object. Names of attributes, variables,
   types and modules are written; no value is, and no key of a dict that is no namespace. */
#ifndef SONDE_HEAP_CHAINS_H
#define SONDE_HEAP_CHAINS_H

#include "walk.h"
#include "writer.h"

/* "shop.models.Order"; builtins without their module. */
void write_type(Writer *writer, PyTypeObject *type);

/* Its module: "shop.models". */
void write_type_module(Writer *writer, PyTypeObject *type);

/* A list of steps: [how the one before refers to it, type, size], the first is a root's name and type. */
void write_chain(Writer *writer, const Walk *walk, Node node);

/* A root's name, as a text. */
void write_root(Writer *writer, const Walk *walk, Node root);

#endif
