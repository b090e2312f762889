// What the engines for processors and for graphics cards contain alike: random numbers, clocks, and
// the arithmetic that Brian2's statements are written in. It needs the integer types of <stdint.h>
// and the functions of <math.h>, and includes nothing.

namespace b2l {

enum Reason { DONE = 0, PYTHON = 1, FULL = 2, TIME = 3, STOP = 4, ERROR = 5 };

// ---------------------------------------------------------------- random numbers
// Philox 4x32-10 (Salmon et al. 2011): the key names seed and call site, the counter names the
// element, the draw and how often the operation was executed.
struct Bits { uint32_t x0, x1, x2, x3; };

static inline __attribute__((always_inline)) Bits
philox(uint64_t key, uint32_t element, uint32_t draw, uint64_t execution) {
    uint32_t c0 = element, c1 = draw, c2 = (uint32_t)execution, c3 = (uint32_t)(execution >> 32);
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
#pragma GCC unroll 10
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        const uint32_t h0 = (uint32_t)(p0 >> 32), h1 = (uint32_t)(p1 >> 32);
        c0 = h1 ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = h0 ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return Bits{c0, c1, c2, c3};
}

static inline double unit(uint32_t high, uint32_t low) {  // [0, 1), 53 bits
    const int64_t bits = (int64_t)((((uint64_t)high << 32) | low) >> 11);
    return (double)bits * 0x1p-53;
}

// One call of philox serves two neighbouring elements.
static inline double uniform(uint64_t key, uint32_t element, uint32_t draw, uint64_t execution) {
    const Bits b = philox(key, element >> 1, draw, execution);
    return element & 1 ? unit(b.x2, b.x3) : unit(b.x0, b.x1);
}

static inline double normal(uint64_t key, uint32_t element, uint32_t draw, uint64_t execution) {
    const Bits b = philox(key, element >> 1, draw, execution);  // Box and Muller (1958)
    const double radius = sqrt(-2.0 * log(1.0 - unit(b.x0, b.x1)));
    const double angle = 6.283185307179586477 * unit(b.x2, b.x3);
    // the sine as a cosine: the compiler has no vector version of both at once
    return radius * cos(element & 1 ? angle - 1.5707963267948966192 : angle);
}

static inline uint64_t stream_key(uint64_t seed, uint64_t site) {  // splitmix64
    uint64_t z = seed + 0x9E3779B97F4A7C15ull * (site + 1);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

// Where the functions that draw inside other functions find their stream: one for each thread.
struct Site { uint64_t key; uint64_t execution; uint32_t element; uint32_t draw; };
static inline Site &site();
static inline double site_uniform() {
    Site &s = site();
    return uniform(s.key, s.element, s.draw++, s.execution);
}
static inline double site_normal() {
    Site &s = site();
    return normal(s.key, s.element, s.draw++, s.execution);
}

// Poisson numbers: by inversion of the distribution below 10, else by transformed rejection
// (Hörmann 1993, PTRS).
static inline int32_t poisson(double lam, uint64_t key, uint32_t element, uint32_t &draw,
                              uint64_t execution) {
    if (!(lam > 0)) return 0;
    if (lam < 10) {
        double u = uniform(key, element, draw++, execution);
        double p = exp(-lam);
        int32_t k = 0;
        while (u >= p && k < 1000) {
            u -= p;
            k++;
            p *= lam / k;
        }
        return k;
    }
    const double slam = sqrt(lam), loglam = log(lam);
    const double b = 0.931 + 2.53 * slam, a = -0.059 + 0.02483 * b;
    const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), vr = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
        const double u = uniform(key, element, draw++, execution) - 0.5;
        const double v = uniform(key, element, draw++, execution);
        const double us = 0.5 - fabs(u);
        const double k = floor((2 * a / us + b) * u + lam + 0.43);
        if (us >= 0.07 && v <= vr) return (int32_t)k;
        if (k < 0 || (us < 0.013 && v > us)) continue;
        if (log(v) + log(inverse_alpha) - log(a / (us * us) + b) <= -lam + k * loglam - lgamma(k + 1))
            return (int32_t)k;
    }
}

// ---------------------------------------------------------------- events
// The events of sources first .. last - 1; events are sorted.
static inline void between(const int32_t *events, int64_t n, int64_t first, int64_t last,
                           int64_t &begin, int64_t &end) {
    begin = 0;
    end = n;
    if (n == 0) return;
    if (events[0] < first) {
        int64_t low = 0, high = n;
        while (low < high) {
            const int64_t middle = (low + high) / 2;
            if (events[middle] < first) low = middle + 1; else high = middle;
        }
        begin = low;
    }
    if (events[n - 1] >= last) {
        int64_t low = begin, high = n;
        while (low < high) {
            const int64_t middle = (low + high) / 2;
            if (events[middle] < last) low = middle + 1; else high = middle;
        }
        end = low;
    }
}

// ---------------------------------------------------------------- clocks
// Which clocks are due (Brian2's rule: the earliest, and all within 1e-4 dt of it).
template <typename Context>
static inline int64_t next_clocks(Context &c, int64_t n, const int *t, const int *dt) {
    int64_t leader = 0;
    double least = ((double *)c.data[t[0]])[0];
    for (int64_t k = 1; k < n; k++) {
        const double time = ((double *)c.data[t[k]])[0];
        if (time < least) { least = time; leader = k; }
    }
    const double leader_dt = dt[leader] < 0 ? INFINITY : ((double *)c.data[dt[leader]])[0];
    for (int64_t k = 0; k < n; k++) {
        const double time = ((double *)c.data[t[k]])[0];
        const double own = dt[k] < 0 ? INFINITY : ((double *)c.data[dt[k]])[0];
        const double difference = fabs(time - least), width = own < leader_dt ? own : leader_dt;
        // without a dt on either side: Brian2's tolerance for two event clocks (seconds)
        c.due[k] = difference == 0 || difference < (width == INFINITY ? 1e-14 : 1e-4 * width);
    }
    return leader;
}

}  // namespace b2l

// ---------------------------------------------------------------- what Brian2's statements use
template <typename A, typename B> struct b2l_wider { typedef decltype(A() + B()) type; };

template <typename A, typename B>
static inline typename b2l_wider<A, B>::type b2l_modulo(A x, B y, double) {
    return x - y * floor((double)x / y);
}
template <typename A, typename B>
static inline typename b2l_wider<A, B>::type b2l_modulo(A x, B y, int) {
    typedef typename b2l_wider<A, B>::type T;
    const T r = (T)x % (T)y;
    return r + (((r != 0) & ((r ^ (T)y) < 0)) ? (T)y : (T)0);
}
template <typename A, typename B>
static inline typename b2l_wider<A, B>::type b2l_quotient(A x, B y, double) {
    return floor((double)x / y);
}
template <typename A, typename B>
static inline typename b2l_wider<A, B>::type b2l_quotient(A x, B y, int) {
    typedef typename b2l_wider<A, B>::type T;
    const T q = (T)x / (T)y, r = (T)x - q * (T)y;
    return q - ((r != 0) & ((r ^ (T)y) < 0));
}
template <typename T> struct b2l_kind { typedef int type; };
template <> struct b2l_kind<double> { typedef double type; };
template <> struct b2l_kind<float> { typedef double type; };

template <typename A, typename B>
static inline typename b2l_wider<A, B>::type _brian_mod(A x, B y) {
    return b2l_modulo(x, y, typename b2l_kind<typename b2l_wider<A, B>::type>::type());
}
template <typename A, typename B>
static inline typename b2l_wider<A, B>::type _brian_floordiv(A x, B y) {
    return b2l_quotient(x, y, typename b2l_kind<typename b2l_wider<A, B>::type>::type());
}
#define _brian_pow(x, y) (pow((x), (y)))
template <typename T> static inline int64_t int_(T x) { return (int64_t)x; }
