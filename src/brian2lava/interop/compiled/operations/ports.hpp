// What comes and goes: sums at ports, sources, sinks, probes.

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

// Writes a value into a variable every `interval` steps.
template <class T> struct Fill {
  int64_t n;
  int64_t interval;
  int64_t offset;
  const T* value;
  T* out;
  void run(int64_t t) const {
    if ((t - 1) % interval != offset) return;
    for (int64_t i = 0; i < n; i++) out[i] = value[0];
  }
};

// What a data loader has loaded, step by step since then; counts these.
template <class T> struct PlayOn {
  int64_t n;
  int64_t rows;
  const T* data;
  int64_t* count;
  T* out;
  void run(int64_t) const { std::memcpy(out, data + ((*count)++ % rows) * n, n * sizeof(T)); }
};

// BitCheck: whether a number needs more bits.
template <class In, class Via> struct Check {
  int64_t n;
  int64_t unused;  // of 32 bits
  const In* in;
  int64_t* over;
  void run(int64_t) const {
    bool any = false;
    for (int64_t i = 0; i < n; i++) {
      const int32_t x = int32_t(Via(in[i]));
      any |= right(left(x, unused), unused) != x;
    }
    if (any) *over = 1;
  }
};
