// Learning rules: sums of products, which gates (x0, y0, u) let through.
//
// A rule is written in 64-bit words: its target (0 weights, 1 tag_2, 2 tag_1), the number of its
// products, and for each its gate (0 x0, 1 y0, 2 u), mantissa, exponent, shift to the right, and the
// number of its factors with three words each: what (0 to 4 the traces x1, x2, y1, y2, y3; 5 to 7
// weights, tag_2, tag_1; 8 x0; 9 y0; 10 a constant), its bits, and how a constant is added (0 not,
// 1 a whole one, 2 another; plus 4: the sign of the sum).
// `constants` has one number a factor.

// What the rules of one connection work with.
template <class T, class V, class H> struct Terms {
  int64_t inputs, outputs, epoch, u;
  const H* x_history;
  const H* y_history;
  const H* x_at;
  const H* y_at;
  const int64_t* tx;
  const int64_t* ty;
  const T* weights;
  const V* tag_2;
  const V* tag_1;
};

// A factor as the fixed-point model has it: within its bits, as a 32-bit number.
template <class X> inline int32_t factor_value(X x, int64_t bits, int64_t form, double constant) {
  const int64_t limit = int64_t(1) << bits;
  if ((form & 3) == 2) {
    double sum = double(x) + constant;
    if (form & 4) sum = (sum > 0) - (sum < 0);
    return int32_t(sum < -limit ? -limit : sum > limit - 1 ? limit - 1 : sum);
  }
  X sum = plus(x, X(int64_t(constant)));
  if (form & 4) sum = (sum > 0) - (sum < 0);
  return int32_t(sum < -limit ? -limit : sum > limit - 1 ? limit - 1 : sum);
}

// One row of synapses: those of output i that come from inputs `columns` (null: from all).
template <class T, class V, class H> struct Row {
  using A = std::conditional_t<std::is_integral_v<T>, int64_t, double>;  // sums
  const Terms<T, V, H>& terms;
  int64_t i;
  int64_t n;
  const int32_t* columns;
  T* product;

  template <class F> void multiply(const int64_t* word, double constant, F factor) const {
    const int64_t bits = word[1], form = word[2];
    for (int64_t k = 0; k < n; k++) {
      const auto x = factor(columns ? int64_t(columns[k]) : k);
      if constexpr (std::is_integral_v<T>) {
        product[k] = times(product[k], factor_value(x, bits, form, constant));
      } else {
        double sum = (form & 3) ? double(x) + constant : double(x);
        if (form & 4) sum = std::isnan(sum) ? sum : double((sum > 0) - (sum < 0));
        product[k] *= sum;
      }
    }
  }
  void multiply_trace(const int64_t* word, double constant, int64_t gate) const {
    const int64_t k = word[0], span = terms.epoch + 1;
    if (k < 2) {
      const H* course = terms.x_history + k * span * terms.inputs;
      const H* row = gate == 0   ? terms.x_at + k * terms.inputs
                     : gate == 1 ? course + terms.ty[i] * terms.inputs
                                 : course + terms.epoch * terms.inputs;
      multiply(word, constant, [=](int64_t j) { return row[j]; });
      return;
    }
    const H* course = terms.y_history + ((k - 2) * terms.outputs + i) * span;
    if (gate == 0) {
      const int64_t* at = terms.tx;
      multiply(word, constant, [=](int64_t j) { return course[at[j]]; });
      return;
    }
    const H value = gate == 1 ? terms.y_at[(k - 2) * terms.outputs + i] : course[terms.epoch];
    multiply(word, constant, [=](int64_t) { return value; });
  }
  void multiply_any(const int64_t* word, double constant, int64_t gate) const {
    const int64_t* tx = terms.tx;
    const int64_t row = i * terms.inputs, fires = terms.ty[i] > 0;
    switch (word[0]) {
      case 5: multiply(word, constant, [p = terms.weights + row](int64_t j) { return p[j]; }); break;
      case 6: multiply(word, constant, [p = terms.tag_2 + row](int64_t j) { return p[j]; }); break;
      case 7: multiply(word, constant, [p = terms.tag_1 + row](int64_t j) { return p[j]; }); break;
      case 8: multiply(word, constant, [=](int64_t j) { return int64_t(tx[j] > 0); }); break;
      case 9: multiply(word, constant, [=](int64_t) { return fires; }); break;
      case 10: multiply(word, constant, [](int64_t) { return int64_t(0); }); break;
      default: multiply_trace(word, constant, gate);
    }
  }
  // Adds a product to `sums`; `first`: it is the first of its rule.
  void add(const int64_t*& at, const double*& constants, bool first, A* sums) const {
    const int64_t gate = at[0], mantissa = at[1], exponent = at[2], shift = at[3], factors = at[4];
    at += 5;
    const bool open = gate == 1 ? terms.ty[i] > 0 : gate == 2 ? terms.u != 0 : true;
    const T scale = std::is_integral_v<T> ? T(1) : T(mantissa) * T(std::exp2(exponent - 7));
    for (int64_t k = 0; k < n; k++) {
      const int64_t j = columns ? int64_t(columns[k]) : k;
      product[k] = scale * T(gate == 0 ? terms.tx[j] > 0 : open);
    }
    for (int64_t f = 0; f < factors; f++, at += 3, constants++)
      if (open || !std::is_integral_v<T>) multiply_any(at, *constants, gate);
    if constexpr (std::is_integral_v<T>) {
      constexpr int64_t limit = 1 << 15;
      for (int64_t k = 0; k < n; k++) {
        int64_t x = left(right(times(product[k], T(mantissa)), shift), exponent);
        x = x < -limit - 1 ? -limit - 1 : x > limit - 1 ? limit - 1 : x;
        x += sums[k];
        sums[k] = x < -limit - 1 ? -limit - 1 : x > limit - 1 ? limit - 1 : x;
      }
    } else {
      for (int64_t k = 0; k < n; k++) sums[k] = first ? product[k] : sums[k] + product[k];
    }
  }
  // The sums of one rule; values of its target stand at `places` of `old` (null: one after the
  // other). In fixed point sums begin with the value and have seven bits more; see `settled`.
  template <class O>
  void evaluate(const int64_t*& at, const double*& constants, const O* old, const int32_t* places,
                A* sums) const {
    const int64_t products = at[1];
    at += 2;
    if constexpr (std::is_integral_v<T>)
      for (int64_t k = 0; k < n; k++) sums[k] = left(old[places ? places[k] : k], 7);
    for (int64_t p = 0; p < products; p++) add(at, constants, p == 0, sums);
    if constexpr (!std::is_integral_v<T>)
      for (int64_t k = 0; k < n; k++) sums[k] = old[places ? places[k] : k] + sums[k];
  }
};

// The new value of a target from its sum: signs, rounding, range. `sign`: 0 mixed, 1 excitatory,
// 2 inhibitory.
template <class A> inline A settled(A x, int64_t target, int64_t sign, double random) {
  const bool least = target == 1 || (target == 0 && sign == 1), most = target == 0 && sign == 2;
  if (least && x < 0) x = 0;
  if (most && x > 0) x = 0;
  if constexpr (std::is_integral_v<A>) {
    x = (x >> 7) + (random < double(x & 127) / 128);
    const A low = target == 2 ? -257 : least ? 0 : most ? -255 : -256;
    const A high = most ? 0 : 255;
    x = x < low ? low : x > high ? high : x;
  }
  return x;
}
// Whether a value may change again though no gate is open.
template <class A> inline bool restless(A x) {
  if constexpr (std::is_integral_v<A>) return x < -256;
  else return !std::isfinite(x);
}
// Writes the new values of a target and says whether one of them is restless.
template <class A, class O>
inline bool keep(int64_t n, const A* sums, int64_t target, int64_t sign, double random, O* values,
                 const int32_t* places) {
  bool again = false;
  for (int64_t k = 0; k < n; k++) {
    const A x = settled(sums[k], target, sign, random);
    again |= restless(x);
    values[places ? places[k] : k] = O(x);
  }
  return again;
}

// All rules of a LearningDense. Synapses whose gates are closed are left out.
template <class T, class V, class H> struct DenseRules {
  int64_t inputs;
  int64_t outputs;
  int64_t epoch;
  int64_t decimation;  // u is open in every so many epochs; 0: never
  int64_t gates;       // of the rules: bits 0 x0, 1 y0, 2 u
  int64_t sign;
  int64_t rules;
  const int64_t* code;
  const double* constants;
  const H* x_history;
  const H* y_history;
  const H* x_at;
  const H* y_at;
  const int64_t* tx;
  const int64_t* ty;
  const double* rounding;
  T* weights;
  V* tag_2;
  V* tag_1;
  T* by_source;        // the weights as they are summed, or null
  int16_t* brief;      // the same in 16 bits, or null
  int64_t* all;        // all synapses are looked at next time
  int32_t* columns;
  T* product;
  V* sums;             // a row for each rule
  void run(int64_t t) const {
    if (t % epoch) return;
    const bool u = decimation && (t / epoch) % decimation == 0;
    const bool whole = *all || (u && gates & 4);
    *all = 0;
    int64_t some = 0;
    if (gates & 1)
      for (int64_t j = 0; j < inputs; j++) {
        columns[some] = int32_t(j);
        some += tx[j] > 0;
      }
    const Terms<T, V, H> terms{inputs, outputs, epoch, u, x_history, y_history, x_at, y_at,
                               tx, ty, weights, tag_2, tag_1};
    for (int64_t i = 0; i < outputs; i++) {
      if (whole || (gates & 2 && ty[i] > 0)) learn(terms, i, inputs, nullptr);
      else if (some) learn(terms, i, some, columns);
    }
  }
  void learn(const Terms<T, V, H>& terms, int64_t i, int64_t n, const int32_t* of) const {
    const Row<T, V, H> row{terms, i, n, of, product};
    const int64_t at = i * inputs;
    const int64_t* word = code;
    const double* constant = constants;
    int64_t targets[3];
    for (int64_t r = 0; r < rules; r++) {
      V* const now = sums + r * inputs;
      targets[r] = *word;
      if (*word == 0) row.evaluate(word, constant, weights + at, of, now);
      else row.evaluate(word, constant, (*word == 1 ? tag_2 : tag_1) + at, of, now);
    }
    bool again = false;
    for (int64_t r = 0; r < rules; r++) {
      const V* const now = sums + r * inputs;
      const int64_t target = targets[r];
      if (target) {
        again |= keep(n, now, target, sign, *rounding, (target == 1 ? tag_2 : tag_1) + at, of);
        continue;
      }
      again |= keep(n, now, target, sign, *rounding, weights + at, of);
      for (int64_t k = 0; k < n; k++) {
        const int64_t j = of ? int64_t(of[k]) : k;
        if (brief) brief[j * outputs + i] = int16_t(weights[at + j]);
        else by_source[j * outputs + i] = weights[at + j];
      }
    }
    if (again) *all = 1;
  }
};

// The rule of one variable of a LearningSparse, which has entries of its own: of output i those
// from begin[i] on, from inputs `source`. No synaptic variable is a factor in it.
template <class T, class V, class H, class O> struct SparseRule {
  int64_t inputs;
  int64_t outputs;
  int64_t epoch;
  int64_t decimation;
  int64_t gates;
  int64_t sign;
  const int64_t* code;
  const double* constants;
  const H* x_history;
  const H* y_history;
  const H* x_at;
  const H* y_at;
  const int64_t* tx;
  const int64_t* ty;
  const double* rounding;
  const int64_t* begin;
  const int32_t* source;
  O* values;
  const int64_t* place;  // of entries among the weights as they are summed, or null
  O* by_source;
  int64_t* all;
  int32_t* columns;
  int32_t* places;
  T* product;
  V* sums;
  void run(int64_t t) const {
    if (t % epoch) return;
    const bool u = decimation && (t / epoch) % decimation == 0;
    const bool whole = *all || (u && gates & 4);
    *all = 0;
    bool some = false;
    if (gates & 1)
      for (int64_t j = 0; j < inputs; j++) some |= tx[j] > 0;
    const Terms<T, V, H> terms{inputs, outputs, epoch, u, x_history, y_history, x_at, y_at,
                               tx, ty, nullptr, nullptr, nullptr};
    for (int64_t i = 0; i < outputs; i++) {
      const int64_t first = begin[i], count = begin[i + 1] - first;
      if (whole || (gates & 2 && ty[i] > 0)) {
        learn(terms, i, count, source + first, nullptr);
      } else if (some) {
        int64_t n = 0;
        for (int64_t k = 0; k < count; k++) {
          columns[n] = source[first + k];
          places[n] = int32_t(k);
          n += tx[source[first + k]] > 0;
        }
        if (n) learn(terms, i, n, columns, places);
      }
    }
  }
  void learn(const Terms<T, V, H>& terms, int64_t i, int64_t n, const int32_t* of,
             const int32_t* at) const {
    const Row<T, V, H> row{terms, i, n, of, product};
    const int64_t* word = code;
    const double* constant = constants;
    const int64_t target = *word;
    O* const here = values + begin[i];
    row.evaluate(word, constant, here, at, sums);
    if (keep(n, sums, target, sign, *rounding, here, at)) *all = 1;
    if (!place) return;
    for (int64_t k = 0; k < n; k++) {
      const int64_t entry = at ? int64_t(at[k]) : k;
      by_source[place[begin[i] + entry]] = here[entry];
    }
  }
};
