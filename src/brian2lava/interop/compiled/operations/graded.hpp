// Neurons with graded spikes: sigma-delta, resonators, products, thresholds.

template <class T> struct Sigma {
  int64_t n;
  const T* a;
  T* sigma;
  T* s;
  void run(int64_t) const {
    for (int64_t i = 0; i < n; i++) s[i] = sigma[i] = plus(a[i], sigma[i]);
  }
};

// Delta, and with `sigma` SigmaDelta. Sent is what exceeds the threshold; the residue stays.
template <class T> struct Delta {
  int64_t n;
  int64_t up;    // shift of the input
  int64_t down;  // shift of what is sent
  int64_t relu;
  int64_t cumulative;
  const T* a;
  const T* vth;
  const T* bias;
  T* sigma;
  T* act;
  T* residue;
  T* error;
  T* s;
  void run(int64_t) const {
    if (sigma) { if (cumulative) update<true, true>(); else update<true, false>(); }
    else { if (cumulative) update<false, true>(); else update<false, false>(); }
  }
  template <bool integrates, bool sums> void update() const {
    using limits = std::numeric_limits<T>;
    const T least = relu ? T(0) : limits::has_infinity ? -limits::infinity() : limits::lowest();
#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++) {
      T x = a[i];
      if constexpr (integrates) {
        x = plus(x, sigma[i]);
        sigma[i] = x;
        x = plus(x, bias[i]);
        x = x < least ? least : x;
      } else if constexpr (std::is_integral_v<T>) {
        x = left(x, up);
      }
      const T delta = plus(minus(x, act[i]), residue[i]);
      const T judged = sums ? plus(error[i], delta) : delta;
      const T sent = absolute(judged) >= vth[i] ? delta : T(0);
      if constexpr (sums) error[i] = sent != T(0) ? T(0) : judged;
      residue[i] = minus(delta, sent);
      act[i] = x;
      if constexpr (std::is_integral_v<T>) s[i] = right(sent, down);
      else s[i] = sent;
    }
  }
};

struct AtrlifFixed {
  int64_t n;
  const int32_t* a;
  int32_t* i;
  int32_t* v;
  int32_t* theta;
  int32_t* r;
  bool* fired;
  const double* keep_i;
  const int64_t* keep_v;
  const int64_t* keep_theta;
  const int64_t* keep_r;
  const int32_t* bias;
  const int32_t* theta_0;
  const int32_t* theta_step;
  int32_t* s;
  static int32_t kept(int64_t p) { return int32_t(p < 0 ? -((-p) >> 12) : p >> 12); }
  void run(int64_t) const {
    constexpr int32_t limit = 1 << 23;
    for (int64_t k = 0; k < n; k++) {
      const int64_t d = int64_t(double(i[k]) * keep_i[k]);
      const int32_t c = plus(kept(d), int32_t(uint32_t(a[k]) << 6));
      int32_t w = c > limit ? minus(c, 2 * limit) : c;
      w = w <= -limit ? plus(c, 2 * limit) : w;
      i[k] = w;
      int32_t x = plus(plus(kept(int64_t(v[k]) * keep_v[k]), w), bias[k]);
      x = x < -limit + 1 ? -limit + 1 : x > limit - 1 ? limit - 1 : x;
      v[k] = x;
      const int32_t t =
          plus(kept(int64_t(minus(theta[k], theta_0[k])) * keep_theta[k]), theta_0[k]);
      const int32_t q = kept(int64_t(r[k]) * keep_r[k]);
      const bool up = minus(x, q) >= t;
      fired[k] = up;
      s[k] = up;
      r[k] = up ? plus(q, times(t, 2)) : q;
      theta[k] = up ? plus(t, theta_step[k]) : t;
    }
  }
};

struct AtrlifFloat {
  int64_t n;
  const double* a;
  double* i;
  double* v;
  double* theta;
  double* r;
  bool* fired;
  const double* keep_i;
  const double* keep_v;
  const double* keep_theta;
  const double* keep_r;
  const double* bias;
  const double* theta_0;
  const double* theta_step;
  double* s;
  void run(int64_t) const {
    for (int64_t k = 0; k < n; k++) {
      i[k] = keep_i[k] * i[k] + a[k];
      v[k] = keep_v[k] * v[k] + i[k] + bias[k];
      const double t = keep_theta[k] * (theta[k] - theta_0[k]) + theta_0[k], q = keep_r[k] * r[k];
      const bool up = v[k] - q >= t;
      fired[k] = up;
      s[k] = up;
      r[k] = up ? q + 2 * t : q;
      theta[k] = up ? t + theta_step[k] : t;
    }
  }
};

// RF; with `resets` RF_IZ.
struct ResonatorFixed {
  int64_t n;
  int64_t resets;
  int64_t up;    // state_exp
  int64_t down;  // decay_bits
  const int32_t* a_real;
  const int32_t* a_imag;
  int32_t* real;
  int32_t* imag;
  const int64_t* sine;
  const int64_t* cosine;
  const int64_t* vth;
  int32_t* s;
  int64_t scaled(int64_t x) const { return x < 0 ? -right(-x, down) : right(x, down); }
  static int64_t clipped(int64_t x) {
    constexpr int64_t limit = (1 << 23) - 1;
    return x < -limit ? -limit : x > limit ? limit : x;
  }
  void run(int64_t) const {
    for (int64_t i = 0; i < n; i++) {
      const int64_t x = real[i], y = imag[i];
      const int64_t re = clipped(scaled(cosine[i] * x) - scaled(sine[i] * y) + left(a_real[i], up));
      const int64_t im = clipped(scaled(sine[i] * x) + scaled(cosine[i] * y) + left(a_imag[i], up));
      const bool fires = resets ? im >= vth[i] : re >= vth[i] && im >= 0 && y < 0;
      real[i] = int32_t(resets && fires ? 0 : re);
      imag[i] = int32_t(resets && fires ? vth[i] - 1 : im);
      s[i] = fires;
    }
  }
};

struct ResonatorFloat {
  int64_t n;
  int64_t resets;
  const double* a_real;
  const double* a_imag;
  double* real;
  double* imag;
  const double* sine;
  const double* cosine;
  const double* vth;
  bool* s;
  void run(int64_t) const {
    for (int64_t i = 0; i < n; i++) {
      const double x = real[i], y = imag[i];
      const double re = cosine[i] * x - sine[i] * y + a_real[i];
      const double im = sine[i] * x + cosine[i] * y + a_imag[i];
      const bool fires = resets ? im >= vth[i] : re >= vth[i] && im >= 0 && y < 0;
      real[i] = resets && fires ? 0 : re;
      imag[i] = resets && fires ? vth[i] - 1e-5 : im;
      s[i] = fires;
    }
  }
};

// RFZero. Division by 2^15 rounds down.
struct ZeroCrossing {
  int64_t n;
  const int32_t* a_u;
  const int32_t* a_v;
  int32_t* u;
  int32_t* v;
  const int32_t* sine;
  const int32_t* cosine;
  const int32_t* uth;
  int32_t* s;
  void run(int64_t) const {
    for (int64_t i = 0; i < n; i++) {
      const int32_t x = plus(minus(times(u[i], cosine[i]) >> 15, times(v[i], sine[i]) >> 15), a_u[i]);
      const int32_t y = plus(plus(times(v[i], cosine[i]) >> 15, times(u[i], sine[i]) >> 15), a_v[i]);
      s[i] = x > uth[i] && y >= 0 && v[i] < 0 ? x : 0;
      u[i] = x;
      v[i] = y;
    }
  }
};

// GradedVec; with `relu` GradedReluVec.
struct Graded {
  int64_t n;
  int64_t relu;
  const int32_t* a;
  const int32_t* vth;
  int32_t* v;
  int32_t* s;
  void run(int64_t) const {
    for (int64_t i = 0; i < n; i++) {
      const int32_t x = plus(v[i], a[i]);
      s[i] = (relu ? x : absolute(x)) > vth[i] ? x : 0;
      v[i] = 0;
    }
  }
};

// ProdNeuron.
struct Product {
  int64_t n;
  const int32_t* a_1;
  const int32_t* a_2;
  const int32_t* vth;
  const int32_t* exponent;
  int32_t* s;
  void run(int64_t) const {
    for (int64_t i = 0; i < n; i++) {
      const int32_t x = right(times(a_1[i], a_2[i]), exponent[i]);
      s[i] = absolute(x) > vth[i] ? x : 0;
    }
  }
};

// NormVecDelay: the square of an input now, and what came in the step before times the other input.
struct Normalise {
  int64_t n;
  const int32_t* a_1;
  const int32_t* a_2;
  const int32_t* vth;
  int32_t* v;
  int32_t* v_2;
  int32_t* square;
  int32_t* s;
  void run(int64_t) const {
    for (int64_t i = 0; i < n; i++) {
      square[i] = times(a_1[i], a_1[i]);
      v_2[i] = v[i];
      v[i] = a_1[i];
      const int32_t x = times(v_2[i], a_2[i]);
      s[i] = absolute(x) > vth[i] ? x : 0;
    }
  }
};

struct Spiker {
  int64_t n;
  const int64_t* rate;
  const int64_t* payload;
  int64_t* counter;
  int64_t* s;
  void run(int64_t) const {
    for (int64_t i = 0; i < n; i++) {
      const bool now = counter[i] == rate[i];
      s[i] = now ? payload[i] : 0;
      counter[i] = now ? 1 : counter[i] + 1;
    }
  }
};

struct InverseRoot {
  int64_t n;
  const double* a;
  double* s;
  void run(int64_t) const { for (int64_t i = 0; i < n; i++) s[i] = 1 / std::sqrt(a[i]); }
};

// InvSqrt in fixed point: a start value by the number of leading zeros of 24 bits, then five steps
// of Newton's method with 12 bits after the point.
struct InverseRootFixed {
  const int32_t* a;
  const int64_t* start;
  int32_t* s;
  int64_t* fault;  // the first step with a negative input, or 0
  void run(int64_t t) const {
    if (*a < 0 && !*fault) *fault = t;
    *s = 0;
    if (*a <= 0) return;
    const int bits = 32 - __builtin_clz(uint32_t(*a));  // Lava counts from the end beyond 24
    int64_t b = *a, big = start[bits > 24 ? 48 - bits : 24 - bits], y = big >> 1;
    for (int k = 0; k < 5; k++) {
      b = times(times(b, big) >> 13, big) >> 13;
      big = (int64_t(3) << 12) - b;
      y = times(y, big) >> 13;
    }
    *s = int32_t(y);
  }
};

// DeltaEncoder: what it sends is that of the step before. `limited`: messages have a range.
template <class In> struct DeltaEncoder {
  int64_t n;
  int64_t up;
  int64_t limited;
  int64_t low;
  int64_t high;
  const In* a;
  const int64_t* vth;
  int64_t* act;
  int64_t* residue;
  int64_t* out;
  void run(int64_t) const {
    for (int64_t i = 0; i < n; i++) {
      const int64_t x = left(int64_t(a[i]), up), delta = plus(minus(x, act[i]), residue[i]);
      int64_t sent = absolute(delta) >= vth[i] ? delta : 0;
      if (limited) sent = sent < low ? low : sent > high ? high : sent;
      residue[i] = minus(delta, sent);
      act[i] = x;
      out[i] = sent;
    }
  }
};
