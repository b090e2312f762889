// Dense and sparse connections, with delays and without.

// A connection. Rows of `weights` belong to sources; sums go over the sources that sent something.
// Where all sums fit into the weights' own type, they are made in `narrow`, and where half the bits
// hold the weights exactly, they are read from `brief`: what a step costs is to fetch the rows.
template <class W, class S, class A, class B> struct Matrix {
  int64_t rows;
  int64_t columns;
  int64_t graded;
  int64_t exponent;
  int64_t fits;
  const W* weights;
  const B* brief;
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
    int64_t k = 0;
    if (!graded) {  // several rows at once, in their order: sums are fetched and stored less often
      for (; k + 4 <= count; k += 4) {
        const V* __restrict a = all + active[k] * columns;
        const V* __restrict b = all + active[k + 1] * columns;
        const V* __restrict c = all + active[k + 2] * columns;
        const V* __restrict d = all + active[k + 3] * columns;
        for (int64_t next = k + 4; next < count && next < k + 8; next++)
          fetch(all + active[next] * columns, columns);
#pragma GCC ivdep
        for (int64_t i = 0; i < columns; i++)
          to[i] = plus(plus(plus(plus(to[i], T(a[i])), T(b[i])), T(c[i])), T(d[i]));
      }
    }
    for (; k < count; k++) {
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

// A convolution, source by source: input (x, y, channel) adds to the outputs that its kernel
// reaches. Weights are ordered group, channel of the group, kernel x, kernel y, output of the group;
// to_x[x, i] is the column that kernel column i of input x reaches, or -1, and to_y likewise.
// Sums are made in double, as Lava makes them, then become A: for integers wrapped to 24 bits.
template <class S, class A> struct Conv {
  int64_t width;
  int64_t height;
  int64_t channels;
  int64_t size;  // of the output
  int64_t out_height;
  int64_t out_channels;
  int64_t groups;
  int64_t kernel_x;
  int64_t kernel_y;
  int64_t graded;
  const int64_t* to_x;
  const int64_t* to_y;
  const double* weights;
  const S* s;
  int32_t* active;
  double* sums;
  A* out;
  void run(int64_t) const {
    std::memset(sums, 0, size * sizeof(double));
    for (int64_t x = 0; x < width; x++)
      for (int64_t y = 0; y < height; y++) {
        const S* sent = s + (x * height + y) * channels;
        const int64_t count = senders(sent, channels, active);
        if (count) spread(x, y, sent, count);
      }
    for (int64_t i = 0; i < size; i++) out[i] = kept(sums[i]);
  }
  void spread(int64_t x, int64_t y, const S* sent, int64_t count) const {
    const int64_t per_group = channels / groups, outs = out_channels / groups;
    const int64_t kernel = kernel_x * kernel_y * outs;
    for (int64_t i = 0; i < kernel_x; i++) {
      const int64_t ox = to_x[x * kernel_x + i];
      if (ox < 0) continue;
      for (int64_t j = 0; j < kernel_y; j++) {
        const int64_t oy = to_y[y * kernel_y + j];
        if (oy < 0) continue;
        double* place = sums + (ox * out_height + oy) * out_channels;
        const double* entry = weights + (i * kernel_y + j) * outs;
        for (int64_t m = 0; m < count;) {
          const int64_t group = active[m] / per_group, first = m;
          while (m < count && active[m] / per_group == group) m++;
          add(sent, first, m, entry, kernel, place + group * outs, outs);
        }
      }
    }
  }
  // Sources `first` to `last` of the active ones: to[k] += w[k] s, blocks of k in registers.
  void add(const S* sent, int64_t first, int64_t last, const double* entry, int64_t kernel,
           double* to, int64_t outs) const {
    int64_t k = 0;
    for (; k + 16 <= outs; k += 16) block<16>(sent, first, last, entry + k, kernel, to + k);
    for (; k + 8 <= outs; k += 8) block<8>(sent, first, last, entry + k, kernel, to + k);
    for (; k + 4 <= outs; k += 4) block<4>(sent, first, last, entry + k, kernel, to + k);
    for (; k < outs; k++) block<1>(sent, first, last, entry + k, kernel, to + k);
  }
  template <int width_of_block>
  void block(const S* sent, int64_t first, int64_t last, const double* entry, int64_t kernel,
             double* to) const {
    double sum[width_of_block];
    for (int q = 0; q < width_of_block; q++) sum[q] = to[q];
    for (int64_t m = first; m < last; m++) {
      const double by = graded ? double(sent[active[m]]) : 1.0;
      const double* w = entry + active[m] * kernel;
      for (int q = 0; q < width_of_block; q++) sum[q] += w[q] * by;
    }
    for (int q = 0; q < width_of_block; q++) to[q] = sum[q];
  }
  static A kept(double x) {
    if constexpr (std::is_integral_v<A>) {
      const int32_t whole = x >= 2147483648.0 || x < -2147483648.0 ? INT32_MIN : int32_t(x);
      const uint32_t moved = (uint32_t(whole) + (1u << 23)) & ((1u << 24) - 1);
      return int32_t(moved) - (1 << 23);
    } else {
      return x;
    }
  }
};
