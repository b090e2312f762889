// One step of Lava's library processes. An operation is a struct of 64-bit fields (numbers and
// addresses) and what it does in step t, counted from 1 as Lava does. Python reads the names of the
// fields from this text. Integers wrap as NumPy's do, so sums are made in unsigned arithmetic.
#include <cstdint>
#include <cstring>
#include <cmath>
#include <limits>
#include <type_traits>

using std::int16_t; using std::int32_t; using std::int64_t; using std::uint32_t; using std::uint64_t;

namespace {

// Sums, differences and products that wrap; for floating point the plain ones, and "or" for bool.
template <class T> inline T plus(T a, T b) {
  if constexpr (std::is_same_v<T, bool>) return a || b;
  else if constexpr (std::is_integral_v<T>) { using U = std::make_unsigned_t<T>; return T(U(a) + U(b)); }
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
