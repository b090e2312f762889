// The words that kernels are written in, as CUDA; emulate.hpp has the same for a processor.
// NVRTC knows the functions of <math.h> and no header.
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;
#define INFINITY (__longlong_as_double(0x7ff0000000000000LL))
#define NAN (__longlong_as_double(0x7ff8000000000000LL))
#define INT64_MAX 0x7fffffffffffffffLL

#define B2L_THREADS 256
#define B2L_KERNEL(name)                                                                    \
    extern "C" __global__ void __launch_bounds__(B2L_THREADS)                               \
        name(b2l::State *b2l_state)
#define B2L_LAUNCHER(name)
#define B2L_CONSTANTS(type) extern "C" { __constant__ type b2l_constants; }
#define b2l_thread ((int)threadIdx.x)
#define B2L_WHERE                                                                           \
    const int64_t b2l_block = blockIdx.x, b2l_blocks = gridDim.x;                           \
    (void)b2l_block;                                                                        \
    (void)b2l_blocks;
// What stands behind B2L_PHASE is run by every thread of the block; no thread goes beyond a
// B2L_SYNC before all have come to it.
#define B2L_PHASE
#define B2L_SYNC __syncthreads();
#define B2L_SHARED __shared__

namespace b2l {
static __device__ __forceinline__ void mark(uint32_t *words, int thread) {
    atomicOr(words + (thread >> 5), 1u << (thread & 31));
}
static __device__ __forceinline__ int ones(uint32_t word) { return __popc(word); }
static __device__ __forceinline__ void fence() { __threadfence(); }
// One more block has arrived; says how many had before.
static __device__ __forceinline__ int64_t arrive(int64_t *count) {
    return (int64_t)atomicAdd((unsigned long long *)count, 1ull);
}
// What another block of the same launch has written.
template <typename T> static __device__ __forceinline__ T fresh(const T *p) { return __ldcg(p); }

static __device__ __forceinline__ void add(double *p, double x) { atomicAdd(p, x); }
static __device__ __forceinline__ void add(float *p, float x) { atomicAdd(p, x); }
static __device__ __forceinline__ void add(int32_t *p, int32_t x) { atomicAdd(p, x); }
static __device__ __forceinline__ void add(int64_t *p, int64_t x) {
    atomicAdd((unsigned long long *)p, (unsigned long long)x);
}
static __device__ __forceinline__ int64_t thread_number() {
    return (int64_t)blockIdx.x * B2L_THREADS + threadIdx.x;
}
}  // namespace b2l
