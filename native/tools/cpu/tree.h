/* The tree that a profile is: nodes with a function, a line and a parent, and what was seen at them. As
   functions.h: one writer, all memory from the start, no GIL. */
#ifndef SONDE_CPU_TREE_H
#define SONDE_CPU_TREE_H

#include <stdbool.h>
#include <stdint.h>

enum { NO_NODE = -1 };

typedef struct {
    int32_t parent; /* NO_NODE: a root; else a smaller index */
    uint32_t function;
    int32_t line;
    uint32_t count;
    uint64_t weight;
    uint8_t idle; /* 0: not known yet, 1: no, 2: yes; the sampler's own note */
} TreeNode;

/* Take the memory; empty. False: there is none. */
bool tree_open(uint32_t max_nodes);
void tree_close(void);

/* The node below `parent`, made where there is none yet; NO_NODE: the tree is full. */
int32_t tree_below(int32_t parent, uint32_t function, int32_t line);

void tree_add(int32_t node, uint64_t weight);

uint32_t tree_count(void);
TreeNode *tree_at(uint32_t node);

#endif
