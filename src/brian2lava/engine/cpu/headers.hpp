// What every compiled step program begins with. Kept free of heavy headers: it is parsed on each
// compile.
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <pthread.h>
#include <sched.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

// ---------------------------------------------------------------- exp
// Our own, under the standard name: the compiler simplifies exp as it always does, calls it for
// several values at once, and a value does not depend on whether it was computed alone or in a
// vector loop (the system's scalar and vector versions differ in their last bits).
#if defined(__GNUC__) && !defined(__clang__)
#define B2L_PRECISE __attribute__((noinline, optimize("no-fast-math")))
#define B2L_VECTOR_FUNCTION B2L_PRECISE __attribute__((simd("notinbranch"), const))
#else
#define B2L_PRECISE __attribute__((noinline))
#define B2L_VECTOR_FUNCTION B2L_PRECISE __attribute__((const))
#endif
#ifndef B2L_EXACT
extern "C" B2L_VECTOR_FUNCTION double exp(double x) noexcept;
#endif

