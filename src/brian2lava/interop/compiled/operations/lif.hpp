// LIF neurons.

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

// `alike`: all neurons have the decays and thresholds of the first.
template <bool ternary> struct LifFloat {
  int64_t n;
  int64_t alike;
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
    if (alike) sweep<true>(); else sweep<false>();
  }
  template <bool same> void sweep() const {
    const double* __restrict input = a;
    const double* __restrict added = bias;
    double* __restrict current = u;
    double* __restrict voltage = v;
    double* __restrict spike = s;
    const double kept_u = same ? keep_u[0] : 0, kept_v = same ? keep_v[0] : 0;
    const double upper = same ? high[0] : 0, lower = same ? low[0] : 0;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++) {
      const double c = current[i] * (same ? kept_u : keep_u[i]) + input[i];
      current[i] = c;
      const double x = voltage[i] * (same ? kept_v : keep_v[i]) + c + added[i];
      const double up = x > (same ? upper : high[i]) ? 1.0 : 0.0;
      const double down = ternary && x < (same ? lower : low[i]) ? 1.0 : 0.0;
      spike[i] = up - down;
      voltage[i] = up != down ? 0.0 : x;
    }
  }
};
