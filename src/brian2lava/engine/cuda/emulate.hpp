// The words that kernels are written in, on a processor: the blocks of a launch run one after the
// other, and within each phase its threads do. The order of both can be changed: what a kernel
// makes must not depend on it, but for the last bits of sums that are not ordered.
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define B2L_THREADS 64
#define B2L_KERNEL(name)                                                                    \
    static void name##_block(b2l::State *b2l_state, const int64_t b2l_block,                \
                             const int64_t b2l_blocks)
#define B2L_LAUNCHER(name)                                                                  \
    extern "C" int64_t name(b2l::State *state, int64_t blocks, int64_t order) {             \
        b2l::order = order;                                                                 \
        for (int64_t k = 0; k < blocks; k++) {                                              \
            const int64_t mixed = blocks % 7 ? 7 * k + 3 : blocks % 11 ? 11 * k + 3 : k;   \
            const int64_t block = order == 0   ? k                                          \
                                  : order == 1 ? blocks - 1 - k                             \
                                               : mixed % blocks;                            \
            name##_block(state, block, blocks);                                             \
        }                                                                                   \
        return 0;                                                                           \
    }
#define B2L_CONSTANTS(type) extern "C" { type b2l_constants; }
#define B2L_WHERE
#define B2L_PHASE                                                                           \
    for (int b2l_turn = 0, b2l_thread = b2l::nth(0); b2l_turn < B2L_THREADS;                \
         b2l_thread = b2l::nth(++b2l_turn))
#define B2L_SYNC
#define B2L_SHARED static

namespace b2l {
static int64_t order;  // 0: as they are numbered; 1: backwards; 2: mixed
static inline int nth(int turn) {
    if (order == 0) return turn;
    if (order == 1) return B2L_THREADS - 1 - turn;
    return (turn * 13 + 5) & (B2L_THREADS - 1);
}
static inline void mark(uint32_t *words, int thread) { words[thread >> 5] |= 1u << (thread & 31); }
static inline int ones(uint32_t word) { return __builtin_popcount(word); }
static inline void fence() {}
static inline int64_t arrive(int64_t *count) { return (*count)++; }
template <typename T> static inline T fresh(const T *p) { return *p; }
template <typename T> static inline void add(T *p, T x) { *p = (T)(*p + x); }
static inline void add(int32_t *p, int32_t x) { *p = (int32_t)((uint32_t)*p + (uint32_t)x); }
static inline void add(int64_t *p, int64_t x) { *p = (int64_t)((uint64_t)*p + (uint64_t)x); }
static inline int64_t thread_number() { return 0; }
}  // namespace b2l
