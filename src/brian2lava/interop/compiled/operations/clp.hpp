// Continual learning with prototypes: neurons that are told what to learn, and their bookkeeping.

// After the dynamics of the neurons: resets, spikes, and the third factor, which has the number of
// a neuron, from 1 on; as an index it may count from the end.
struct Prototype {
  int64_t n;
  const int32_t* reset;
  const int32_t* third;
  const int32_t* high;
  int32_t* u;
  int32_t* v;
  int32_t* y1;
  int32_t* s;
  bool* bap;
  int32_t* y1_out;
  int64_t* fault;  // the first step with a number that no neuron has, or 0
  void run(int64_t t) const {
    const bool chosen = third[0] != 0;
    const int64_t told = int64_t(third[0]) - 1, at = told < 0 ? told + n : told;
    if (chosen && (at < 0 || at >= n)) {
      if (!*fault) *fault = t;
      return;
    }
    for (int64_t i = 0; i < n; i++) {
      if (reset[i] > 0) u[i] = v[i] = 0;
      bap[i] = chosen && i == at;
      if (chosen) y1[i] = bap[i] ? 127 : 0;
      s[i] = chosen ? bap[i] : v[i] > high[i];
      y1_out[i] = y1[i];
      if (s[i]) v[i] = 0;
    }
  }
};

// Counts steps from an input on; without an output for too long the input is novel.
struct Novelty {
  const int32_t* input;
  const int32_t* output;
  const int32_t* patience;
  int64_t* waiting;
  int64_t* passed;
  int32_t* s;
  void run(int64_t) const {
    bool novel = false;
    if (*input) { *waiting = 1; *passed = 0; }
    if (*output) {
      *waiting = *passed = 0;
    } else if (*passed > *patience) {
      novel = true;
      *waiting = *passed = 0;
    }
    if (*waiting) ++*passed;
    *s = novel;
  }
};

// Labels of prototypes: the winner's label, or one made up (negative) that a user's label replaces.
struct Readout {
  int64_t n;
  const int32_t* winners;
  const int32_t* label;
  int32_t* labels;
  int32_t* last;
  int32_t* told;
  int32_t* feedback;
  int32_t* allocate;
  void run(int64_t) const {
    *told = *feedback = *allocate = 0;
    for (int64_t i = 0; i < n; i++) {
      if (!winners[i]) continue;
      *last = int32_t(i);
      if (!labels[i]) labels[i] = -int32_t(i + 1);
      *told = labels[i];
      break;
    }
    if (!*label) return;
    int32_t& known = labels[*last];
    if (known > 0) {
      *feedback = known == *label ? 1 : -1;
      *allocate = known != *label;
    } else if (known < 0) {
      known = *told = *label;
    }
  }
};

struct Allocator {
  const int32_t* trigger;
  int32_t* next;
  int32_t* s;
  void run(int64_t) const { *s = *trigger ? (*next)++ : 0; }
};
