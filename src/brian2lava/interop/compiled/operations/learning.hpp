// Traces of connections that learn: what spikes do to them, and their course over an epoch.

// NumPy's generator behind its own interface (numpy/random/bitgen.h). A process has generators of
// its own, from which Lava's models draw one number at a time.
struct Generator {
  void* state;
  uint64_t (*next_uint64)(void*);
  uint32_t (*next_uint32)(void*);
  double (*next_double)(void*);
  uint64_t (*next_raw)(void*);
};
inline const Generator& generator(int64_t address) {
  return *reinterpret_cast<const Generator*>(address);
}
inline double fraction(int64_t address) {  // Generator.random()
  return generator(address).next_double(generator(address).state);
}
inline int64_t seven_bits(int64_t address) {  // Generator.integers(0, 128)
  return generator(address).next_uint32(generator(address).state) >> 25;
}

// What Lava draws for the traces, twice in a step, whether it is used or not.
struct DrawTraces {
  int64_t x_decay;
  int64_t x_impulse;
  int64_t y_decay;
  int64_t y_impulse;
  double* decay;     // of x and y
  int64_t* impulse;
  void run(int64_t) const {
    decay[0] = fraction(x_decay);
    impulse[0] = seven_bits(x_impulse);
    decay[1] = fraction(y_decay);
    impulse[1] = seven_bits(y_impulse);
  }
};

// The step within the epoch, from 1 on.
inline int64_t within(int64_t t, int64_t epoch) { return t % epoch ? t % epoch : epoch; }

// An impulse and its fraction, in 1/256, against seven random bits.
inline int64_t struck(int64_t trace, int64_t random, int64_t whole, int64_t part) {
  const int64_t x = trace + whole + (random < part);
  return x < 0 ? 0 : x > 127 ? 127 : x;
}
// Half of a payload, halves to the even neighbour, kept in eight bits.
template <class S> inline int64_t halved(S payload) {
  return uint8_t(int64_t(std::nearbyint(double(payload) / 2)));
}

// Spikes of the senders. `mode` is Lava's GradedSpikeCfg.
template <class S> struct PreFixed {
  int64_t n;
  int64_t epoch;
  int64_t graded;
  int64_t mode;
  const S* s;
  const int64_t* whole;  // impulses of x1 and x2
  const int64_t* part;
  int64_t* tx;
  int64_t* x1;
  int64_t* x2;
  void run(int64_t t) const {
    const int64_t now = within(t, epoch);
    for (int64_t j = 0; j < n; j++) {
      const bool spikes = s[j] != S(0);
      if (!spikes && mode < 2) continue;
      bool again = spikes && tx[j] > 0, counts = spikes;
      const int64_t payload = graded ? halved(s[j]) : 0;
      if (mode == 0) {
        if (again) x1[j] = struck(x1[j], 0, whole[0], part[0]);
      } else if (mode == 1) {
        x1[j] = payload;
      } else {
        const int64_t sum = uint8_t(x1[j] + payload);
        const bool over = sum > 127;
        x1[j] = mode == 2 ? (over ? 127 : sum) : (over ? sum - 127 : sum);
        if (mode == 3) { again = again && over; counts = counts && over; }
      }
      if (again) x2[j] = struck(x2[j], 0, whole[1], part[1]);
      if (counts) tx[j] = now;
    }
  }
};

template <class S> struct PreFloat {
  int64_t n;
  int64_t epoch;
  int64_t graded;
  int64_t mode;
  const S* s;
  const double* impulse;
  int64_t* tx;
  double* x1;
  double* x2;
  void run(int64_t t) const {
    const int64_t now = within(t, epoch);
    for (int64_t j = 0; j < n; j++) {
      if (s[j] == S(0)) continue;
      const double payload = (graded ? double(s[j]) : 1.0) / 2;
      if (mode == 0) { if (tx[j] > 0) x1[j] += impulse[0]; }
      else x1[j] = mode == 1 ? payload : x1[j] + payload;
      if (tx[j] > 0) x2[j] += impulse[1];
      tx[j] = now;
    }
  }
};

// Spikes of the receivers; with `sent` (three factors) their traces too.
template <class T> struct Post {
  int64_t n;
  int64_t epoch;
  int64_t sent;
  const bool* s;
  const T* in_1;
  const T* in_2;
  const T* in_3;
  const T* impulse;       // of y1, y2 and y3; of the fixed-point model the whole part
  const int64_t* part;
  const int64_t* random;  // of x and y
  bool* y0;
  int64_t* ty;
  T* y1;
  T* y2;
  T* y3;
  T plus_impulse(T trace, int k) const {
    if constexpr (std::is_integral_v<T>) return struck(trace, random[1], impulse[k], part[k]);
    else return trace + impulse[k];
  }
  void run(int64_t t) const {
    const int64_t now = within(t, epoch);
    for (int64_t i = 0; i < n; i++) {
      if (!s[i]) continue;
      y0[i] = true;
      if (ty[i] > 0) {
        y1[i] = plus_impulse(y1[i], 0);
        y2[i] = plus_impulse(y2[i], 1);
        y3[i] = plus_impulse(y3[i], 2);
      }
      ty[i] = now;
    }
    if (!sent) return;
    std::memcpy(y1, in_1, n * sizeof(T));
    std::memcpy(y2, in_2, n * sizeof(T));
    std::memcpy(y3, in_3, n * sizeof(T));
  }
};

// At the end of an epoch: all traces at each of its steps. A trace without a time constant is 0
// in the fixed-point model from step 1 on, and no number in the other. Afterwards traces have their
// last values; those of y only where the connection makes them itself.
template <class T> struct History {
  int64_t inputs;
  int64_t outputs;
  int64_t epoch;
  int64_t sent;
  int64_t watched;         // bit k: trace k is in a rule
  int64_t generator;       // for the rounding of the rules; 0: none
  const double* kept;      // of x1, x2, y1, y2, y3 in a step; NaN: no time constant
  const T* impulse;
  const int64_t* part;
  const double* decay;     // random numbers, of x and y
  const int64_t* random;
  double* rounding;
  const int64_t* tx;
  const int64_t* ty;
  T* x1;
  T* x2;
  T* y1;
  T* y2;
  T* y3;
  T* x_history;            // trace, step, input
  T* y_history;            // trace, output, step
  T* x_at;                 // at the spike, or at step 0
  T* y_at;
  int64_t* strange;        // a word for each rule, set where a trace in one is no finite number
  T next(T trace, int k, bool spikes) const {
    if constexpr (std::is_integral_v<T>) {
      T x = 0;
      if (!std::isnan(kept[k])) {
        const double whole = kept[k] * double(trace), down = std::floor(whole);
        x = T(down) + (decay[k > 1] < whole - down);
      }
      return spikes ? struck(x, random[k > 1], impulse[k], part[k]) : x;
    } else {
      const T x = kept[k] * trace;
      return spikes ? x + impulse[k] : x;
    }
  }
  void run(int64_t t) const {
    if (t % epoch) return;
    if (generator) rounding[0] = fraction(generator);
    T* const x[] = {x1, x2};
    T* const y[] = {y1, y2, y3};
    for (int k = 0; k < 2; k++) along_inputs(k, x[k]);
    for (int k = 0; k < 3; k++) along_outputs(k, y[k]);
  }
  void along_inputs(int k, T* trace) const {
    T* course = x_history + k * (epoch + 1) * inputs;
    bool odd = false;
    std::memcpy(course, trace, inputs * sizeof(T));
    for (int64_t step = 1; step <= epoch; step++) {
      T* now = course + step * inputs;
      for (int64_t j = 0; j < inputs; j++) now[j] = next(now[j - inputs], k, tx[j] == step);
    }
    const T* last = course + epoch * inputs;
    for (int64_t j = 0; j < inputs; j++) {
      x_at[k * inputs + j] = course[tx[j] * inputs + j];
      trace[j] = last[j];
      odd |= !std::isfinite(double(last[j]));
    }
    if (odd && watched >> k & 1) strange[0] = strange[1] = strange[2] = 1;
  }
  void along_outputs(int k, T* trace) const {
    bool odd = false;
    for (int64_t i = 0; i < outputs; i++) {
      T* course = y_history + (k * outputs + i) * (epoch + 1);
      course[0] = trace[i];
      for (int64_t step = 1; step <= epoch; step++)
        course[step] = next(course[step - 1], k + 2, ty[i] == step);
      y_at[k * outputs + i] = course[ty[i]];
      odd |= !std::isfinite(double(course[epoch]));
      if (!sent) trace[i] = course[epoch];
    }
    if (odd && watched >> (k + 2) & 1) strange[0] = strange[1] = strange[2] = 1;
  }
};

// The end of an epoch: spikes are forgotten.
struct Forget {
  int64_t inputs;
  int64_t outputs;
  int64_t epoch;
  bool* x0;
  bool* y0;
  int64_t* tx;
  int64_t* ty;
  void run(int64_t t) const {
    if (t % epoch) return;
    std::memset(x0, 0, inputs * sizeof(bool));
    std::memset(y0, 0, outputs * sizeof(bool));
    std::memset(tx, 0, inputs * sizeof(int64_t));
    std::memset(ty, 0, outputs * sizeof(int64_t));
  }
};
