// One step of Lava's library processes. An operation is a struct of 64-bit fields (numbers and
// addresses) and what it does in step t, counted from 1 as Lava does. Python reads the names of the
// fields from this text. Integers wrap as NumPy's do, so sums are made in unsigned arithmetic.
#include <cstdint>
#include <cstring>
#include <cmath>
#include <type_traits>

using std::int16_t; using std::int32_t; using std::int64_t; using std::uint32_t; using std::uint64_t;

namespace {

// Sums, differences and products that wrap; for floating point the plain ones.
template <class T> inline T plus(T a, T b) {
  if constexpr (std::is_integral_v<T>) { using U = std::make_unsigned_t<T>; return T(U(a) + U(b)); }
  else return a + b;
}
template <class T> inline T minus(T a, T b) {
  if constexpr (std::is_integral_v<T>) { using U = std::make_unsigned_t<T>; return T(U(a) - U(b)); }
  else return a - b;
}
template <class T> inline T times(T a, T b) {
  if constexpr (std::is_integral_v<T>) { using U = std::make_unsigned_t<T>; return T(U(a) * U(b)); }
  else return a * b;
}
template <class T> inline T absolute(T a) {
  if constexpr (std::is_integral_v<T>) return a < 0 ? minus(T(0), a) : a;
  else return std::fabs(a);
}
// C's << is undefined beyond the width; NumPy's gives 0.
template <class T> inline T left(T a, int64_t by) {
  using U = std::make_unsigned_t<T>;
  return by >= int64_t(8 * sizeof(T)) ? T(0) : T(U(a) << by);
}
template <class T> inline T right(T a, int64_t by) {
  return by >= int64_t(8 * sizeof(T)) ? T(a < 0 ? -1 : 0) : T(a >> by);
}

// dec(x, d) = sgn(x) ((|x| k) >> 12) with k = 4096 - d; the first form holds for 0 <= k <= 4096.
inline int32_t kept_small(int32_t x, int32_t k) {
  const uint32_t m = x < 0 ? 0u - uint32_t(x) : uint32_t(x), q = uint32_t(k);
  const uint32_t r = (m >> 12) * q + (((m & 4095u) * q) >> 12);
  return int32_t(x < 0 ? 0u - r : r);
}
inline int32_t kept_any(int32_t x, int32_t k) {
  const int64_t p = int64_t(x) * k;
  return int32_t(uint32_t(p < 0 ? uint64_t(-((-p) >> 12)) : uint64_t(p >> 12)));
}

// Writes which sources sent something; most send nothing, so blocks are looked at first.
template <class S> inline int64_t senders(const S* s, int64_t n, int32_t* active) {
  constexpr int64_t block = 32;
  int64_t j = 0, count = 0;
  for (; j + block <= n; j += block) {
    int any = 0;
    for (int64_t i = 0; i < block; i++) any |= s[j + i] != S(0);
    if (!any) continue;
    for (int64_t i = j; i < j + block; i++) {
      active[count] = int32_t(i);
      count += s[i] != S(0);
    }
  }
  for (; j < n; j++) {
    active[count] = int32_t(j);
    count += s[j] != S(0);
  }
  return count;
}

// Asks for memory that is read next.
template <class T> inline void fetch(const T* from, int64_t n) {
  const char* at = reinterpret_cast<const char*>(from);
  for (int64_t k = 0; k < n * int64_t(sizeof(T)); k += 64) __builtin_prefetch(at + k);
}

// Sums are shifted by the weights' exponent, up or (rounding down) down.
template <class A> inline void shift(A* out, int64_t n, int64_t exponent) {
  if constexpr (std::is_integral_v<A>) {
    if (exponent > 0) for (int64_t i = 0; i < n; i++) out[i] = left(out[i], exponent);
    else if (exponent < 0) for (int64_t i = 0; i < n; i++) out[i] = right(out[i], -exponent);
  }
}

}  // namespace

template <class In, class Out> struct Gather {
  int64_t n;
  const In* in;
  const int64_t* map;  // of the sender's elements, or null
  Out* out;
  int64_t first;  // of the senders of this port
  void run(int64_t) const {
    if (map) {
      if (first) for (int64_t i = 0; i < n; i++) out[i] = Out(in[map[i]]);
      else for (int64_t i = 0; i < n; i++) out[i] = plus(out[i], Out(in[map[i]]));
    } else {
      if (first) for (int64_t i = 0; i < n; i++) out[i] = Out(in[i]);
      else for (int64_t i = 0; i < n; i++) out[i] = plus(out[i], Out(in[i]));
    }
  }
};

template <class In, class Out> struct Send {
  int64_t n;
  const In* in;
  Out* out;
  void run(int64_t) const { for (int64_t i = 0; i < n; i++) out[i] = Out(in[i]); }
};

// The data of step t: row (t - 1) % rows.
template <class T> struct Play {
  int64_t n;
  int64_t rows;
  const T* data;
  T* out;
  void run(int64_t t) const { std::memcpy(out, data + ((t - 1) % rows) * n, n * sizeof(T)); }
};

// Via: the type of the channel between a variable and its reader.
template <class In, class Via, class Out> struct Record {
  int64_t n;
  int64_t rows;
  int64_t interval;
  int64_t offset;
  const In* in;
  Out* data;
  int64_t* count;
  void run(int64_t t) const {
    if ((t - 1) % interval != offset) return;
    Out* row = data + ((*count)++ % rows) * n;
    for (int64_t i = 0; i < n; i++) row[i] = Out(Via(in[i]));
  }
};

template <class Out, bool ternary> struct LifFixed {
  int64_t n;
  int64_t small;    // all decays are within 0 and 4096
  int64_t alike;    // decays and thresholds are the same for all neurons
  int64_t interval;  // of LIFReset; 0: none
  int64_t offset;
  const int32_t* a;
  int32_t* u;
  int32_t* v;
  const int32_t* keep_u;
  const int32_t* keep_v;
  const int32_t* bias;
  const int32_t* high;
  const int32_t* low;
  Out* s;
  template <bool narrow, bool uniform> void update() const {
    constexpr int32_t limit = 1 << 23;
    const int32_t* __restrict input = a;
    const int32_t* __restrict added = bias;
    int32_t* __restrict current = u;
    int32_t* __restrict voltage = v;
    Out* __restrict spike = s;
    const int32_t ku = keep_u[0], kv = keep_v[0], top = high[0], bottom = low[0];
#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++) {
      const int32_t k = uniform ? ku : keep_u[i], l = uniform ? kv : keep_v[i];
      int32_t c = narrow ? kept_small(current[i], k) : kept_any(current[i], k);
      c = plus(c, int32_t(uint32_t(input[i]) << 6));
      int32_t w = c > limit ? minus(c, 2 * limit) : c;
      w = w <= -limit ? plus(c, 2 * limit) : w;
      current[i] = w;
      int32_t x = narrow ? kept_small(voltage[i], l) : kept_any(voltage[i], l);
      x = plus(plus(x, w), added[i]);
      x = x < -limit + 1 ? -limit + 1 : x > limit - 1 ? limit - 1 : x;
      const int32_t up = x > (uniform ? top : high[i]);
      const int32_t down = ternary ? x < (uniform ? bottom : low[i]) : 0;
      spike[i] = Out(up - down);
      voltage[i] = up != down ? 0 : x;
    }
  }
  void run(int64_t t) const {
    if (interval && t % interval == offset) {
      std::memset(u, 0, n * sizeof(int32_t));
      std::memset(v, 0, n * sizeof(int32_t));
    }
    if (!n) return;
    if (small) { if (alike) update<true, true>(); else update<true, false>(); }
    else update<false, false>();
  }
};

template <bool ternary> struct LifFloat {
  int64_t n;
  int64_t interval;
  int64_t offset;
  int64_t period;   // of LIFRefractory
  int64_t* until;   // the last step of each neuron's refractory period, or null
  const double* a;
  double* u;
  double* v;
  const double* keep_u;
  const double* keep_v;
  const double* bias;
  const double* high;
  const double* low;
  double* s;
  void run(int64_t t) const {
    if (interval && t % interval == offset)
      for (int64_t i = 0; i < n; i++) { u[i] *= 0; v[i] *= 0; }
    if (until) {
      for (int64_t i = 0; i < n; i++) {
        u[i] = u[i] * keep_u[i] + a[i];
        if (until[i] < t) v[i] = v[i] * keep_v[i] + (u[i] + bias[i]);
        const bool up = v[i] > high[i];
        if (up) { until[i] = t + period; v[i] = 0; }
        s[i] = up;
      }
      return;
    }
    const double* __restrict input = a;
    const double* __restrict added = bias;
    double* __restrict current = u;
    double* __restrict voltage = v;
    double* __restrict spike = s;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++) {
      const double c = current[i] * keep_u[i] + input[i];
      current[i] = c;
      const double x = voltage[i] * keep_v[i] + c + added[i];
      const double up = x > high[i] ? 1.0 : 0.0, down = ternary && x < low[i] ? 1.0 : 0.0;
      spike[i] = up - down;
      voltage[i] = up != down ? 0.0 : x;
    }
  }
};

// A connection. Rows of `weights` belong to sources; sums go over the sources that sent something.
// Where all sums fit into the weights' own type, they are made in `narrow`, and where the weights
// fit into 16 bits, they are read from `brief`: what a step costs is to fetch the rows.
template <class W, class S, class A> struct Matrix {
  int64_t rows;
  int64_t columns;
  int64_t graded;
  int64_t exponent;
  int64_t fits;
  const W* weights;
  const int16_t* brief;
  const S* s;
  W* narrow;
  int32_t* active;
  A* out;
  void run(int64_t) const {
    if (!graded && fits) {
      if (brief) add(narrow, brief); else add(narrow, weights);
      for (int64_t i = 0; i < columns; i++) out[i] = A(narrow[i]);
    } else if (brief) {
      add(out, brief);
    } else {
      add(out, weights);
    }
    shift(out, columns, exponent);
  }
  template <class T, class V> void add(T* sums, const V* all) const {
    T* __restrict to = sums;
    std::memset(to, 0, columns * sizeof(T));
    const int64_t count = senders(s, rows, active);
    for (int64_t k = 0; k < count; k++) {
      const int64_t j = active[k];
      const V* __restrict row = all + j * columns;
      if (k + 1 < count) fetch(all + active[k + 1] * columns, columns);
      if (graded) {
        const T by = T(s[j]);
#pragma GCC ivdep
        for (int64_t i = 0; i < columns; i++) to[i] = plus(to[i], times(T(row[i]), by));
      } else {
#pragma GCC ivdep
        for (int64_t i = 0; i < columns; i++) to[i] = plus(to[i], T(row[i]));
      }
    }
  }
};

// `brief` has the target in the lower and the weight in the upper 16 bits.
template <class W, class S, class A> struct SparseMatrix {
  int64_t rows;
  int64_t columns;
  int64_t graded;
  int64_t exponent;
  int64_t fits;
  const int64_t* begin;
  const int32_t* target;
  const W* weights;
  const int32_t* brief;
  const S* s;
  W* narrow;
  int32_t* active;
  A* out;
  void run(int64_t) const {
    if (!graded && fits) {
      add(narrow);
      for (int64_t i = 0; i < columns; i++) out[i] = A(narrow[i]);
    } else {
      add(out);
    }
    shift(out, columns, exponent);
  }
  template <class T> void add(T* sums) const {
    T* __restrict to = sums;
    std::memset(to, 0, columns * sizeof(T));
    const int64_t count = senders(s, rows, active);
    for (int64_t m = 0; m < count; m++) {
      const int64_t j = active[m], end = begin[j + 1];
      const T by = graded ? T(s[j]) : T(1);
      if (brief) {
        if (m + 1 < count) {
          const int64_t next = active[m + 1];
          fetch(brief + begin[next], begin[next + 1] - begin[next]);
        }
        for (int64_t k = begin[j]; k < end; k++) {
          const int32_t i = brief[k] & 0xffff;
          to[i] = plus(to[i], times(T(brief[k] >> 16), by));
        }
      } else {
        for (int64_t k = begin[j]; k < end; k++)
          to[target[k]] = plus(to[target[k]], times(T(weights[k]), by));
      }
    }
  }
};

// out[i, d] is what target i gets in d steps; sums hold this step's contributions.
template <class S, class A, class B> struct DelayMatrix {
  int64_t rows;
  int64_t size;   // targets times slots
  int64_t slots;
  int64_t graded;
  int64_t exponent;
  const int64_t* begin;
  const int32_t* place;  // target times slots plus delay
  const A* weights;
  const S* s;
  A* sums;
  B* out;
  void run(int64_t) const {
    std::memset(sums, 0, size * sizeof(A));
    for (int64_t j = 0; j < rows; j++) {
      if (s[j] == 0) continue;
      const A by = graded ? A(s[j]) : A(1);
      for (int64_t k = begin[j]; k < begin[j + 1]; k++)
        sums[place[k]] = plus(sums[place[k]], times(weights[k], by));
    }
    for (int64_t i = 0; i < size; i += slots) out[i] = 0;
    if (size) std::memmove(out, out + 1, (size - 1) * sizeof(B));
    if (size) out[size - 1] = 0;
    for (int64_t i = 0; i < size; i++) {
      A x = sums[i];
      if constexpr (std::is_integral_v<A>)
        x = exponent > 0 ? left(x, exponent) : right(x, -exponent);
      out[i] = B(plus(A(out[i]), x));
    }
  }
};

template <class In, class Out> struct SendSlot {
  int64_t n;
  int64_t slots;
  const In* in;
  Out* out;
  void run(int64_t) const { for (int64_t i = 0; i < n; i++) out[i] = Out(in[i * slots]); }
};

struct Operation {
  void (*run)(const void*, int64_t);
  const void* fields;
};

extern "C" void b2l_advance(const Operation* operations, int64_t count, int64_t step, int64_t steps) {
  for (int64_t t = step; t < step + steps; t++)
    for (int64_t k = 0; k < count; k++) operations[k].run(operations[k].fields, t);
}

#define EXPORT(name, ...) \
  extern "C" void name(const void* fields, int64_t t) { static_cast<const __VA_ARGS__*>(fields)->run(t); }

EXPORT(gather_bool_int32, Gather<bool, int32_t>)
EXPORT(gather_bool_int64, Gather<bool, int64_t>)
EXPORT(gather_bool_double, Gather<bool, double>)
EXPORT(gather_int32_int32, Gather<int32_t, int32_t>)
EXPORT(gather_int32_int64, Gather<int32_t, int64_t>)
EXPORT(gather_int32_double, Gather<int32_t, double>)
EXPORT(gather_int64_int64, Gather<int64_t, int64_t>)
EXPORT(gather_int64_double, Gather<int64_t, double>)
EXPORT(gather_double_double, Gather<double, double>)
EXPORT(send_int32_int32, Send<int32_t, int32_t>)
EXPORT(send_int64_int32, Send<int64_t, int32_t>)
EXPORT(send_double_double, Send<double, double>)
EXPORT(send_slot_int32_int32, SendSlot<int32_t, int32_t>)
EXPORT(send_slot_double_double, SendSlot<double, double>)
EXPORT(play_int32, Play<int32_t>)
EXPORT(play_double, Play<double>)
EXPORT(record_bool_bool_double, Record<bool, bool, double>)
EXPORT(record_int16_int16_double, Record<int16_t, int16_t, double>)
EXPORT(record_int32_int32_double, Record<int32_t, int32_t, double>)
EXPORT(record_int64_int64_double, Record<int64_t, int64_t, double>)
EXPORT(record_int64_int32_double, Record<int64_t, int32_t, double>)
EXPORT(record_double_double_double, Record<double, double, double>)
EXPORT(record_int32_int32_int32, Record<int32_t, int32_t, int32_t>)
EXPORT(record_int64_int32_int32, Record<int64_t, int32_t, int32_t>)
EXPORT(lif_fixed, LifFixed<int32_t, false>)
EXPORT(lif_fixed_ternary, LifFixed<int64_t, true>)
EXPORT(lif_float, LifFloat<false>)
EXPORT(lif_float_ternary, LifFloat<true>)
EXPORT(matrix_int32_int32_int32, Matrix<int32_t, int32_t, int32_t>)
EXPORT(matrix_int32_int32_int64, Matrix<int32_t, int32_t, int64_t>)
EXPORT(matrix_int32_int64_int64, Matrix<int32_t, int64_t, int64_t>)
EXPORT(matrix_double_double_double, Matrix<double, double, double>)
EXPORT(matrix_double_int32_double, Matrix<double, int32_t, double>)
EXPORT(matrix_double_int64_double, Matrix<double, int64_t, double>)
EXPORT(sparse_int32_int32_int32, SparseMatrix<int32_t, int32_t, int32_t>)
EXPORT(sparse_int32_int32_int64, SparseMatrix<int32_t, int32_t, int64_t>)
EXPORT(sparse_int32_int64_int64, SparseMatrix<int32_t, int64_t, int64_t>)
EXPORT(sparse_double_double_double, SparseMatrix<double, double, double>)
EXPORT(sparse_double_int32_double, SparseMatrix<double, int32_t, double>)
EXPORT(sparse_double_int64_double, SparseMatrix<double, int64_t, double>)
EXPORT(delay_int32_int64_int32, DelayMatrix<int32_t, int64_t, int32_t>)
EXPORT(delay_int64_int64_int32, DelayMatrix<int64_t, int64_t, int32_t>)
EXPORT(delay_double_double_double, DelayMatrix<double, double, double>)
EXPORT(delay_int32_double_double, DelayMatrix<int32_t, double, double>)
EXPORT(delay_int64_double_double, DelayMatrix<int64_t, double, double>)
