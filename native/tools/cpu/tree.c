#include "tree.h"

#include <stddef.h>
#include <sys/mman.h>

static TreeNode *nodes;
static uint32_t *slots; /* 0: free, else node + 1 */
static uint32_t used, room, slot_count;

static void *take(size_t bytes) {
    void *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

bool tree_open(uint32_t max_nodes) {
    for (slot_count = 1024; slot_count < 2 * max_nodes;)
        slot_count *= 2;
    room = max_nodes;
    used = 0;
    nodes = take(room * sizeof *nodes);
    slots = take(slot_count * sizeof *slots);
    if (nodes && slots)
        return true;
    tree_close();
    return false;
}

void tree_close(void) {
    if (nodes)
        munmap(nodes, room * sizeof *nodes);
    if (slots)
        munmap(slots, slot_count * sizeof *slots);
    nodes = NULL;
    slots = NULL;
}

int32_t tree_below(int32_t parent, uint32_t function, int32_t line) {
    uint64_t hash = ((uint64_t)(uint32_t)parent << 32 | function) * 0x9e3779b97f4a7c15u;
    hash = (hash ^ (uint32_t)line) * 0xc2b2ae3d27d4eb4fu;
    uint32_t at = (uint32_t)(hash >> 36) & (slot_count - 1);
    for (; slots[at]; at = (at + 1) & (slot_count - 1)) {
        const TreeNode *node = &nodes[slots[at] - 1];
        if (node->parent == parent && node->function == function && node->line == line)
            return (int32_t)slots[at] - 1;
    }
    if (used == room)
        return NO_NODE;
    nodes[used] = (TreeNode){.parent = parent, .function = function, .line = line};
    slots[at] = ++used;
    return (int32_t)used - 1;
}

void tree_add(int32_t node, uint64_t weight) {
    nodes[node].count++;
    nodes[node].weight += weight;
}

uint32_t tree_count(void) {
    return used;
}

TreeNode *tree_at(uint32_t node) {
    return &nodes[node];
}
