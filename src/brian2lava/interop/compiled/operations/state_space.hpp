// S4D: a linear system with a diagonal matrix, x' = a x + b input, of which 2 c x' is read.
// Numbers are complex, two doubles each, unless `real` says that all of them have one.

struct Linear {
  int64_t real;
  const double* a;
  const double* b;
  const double* c;
  double* x;
  // Moves element i on; gives 2 c x', real and imaginary.
  void step(int64_t i, double input, double& re, double& im) const {
    if (real) {
      x[i] = x[i] * a[i] + input * b[i];
      re = c[i] * x[i] * 2;
      im = 0;
      return;
    }
    const double *p = a + 2 * i, *q = b + 2 * i, *r = c + 2 * i;
    double* z = x + 2 * i;
    const double next = z[0] * p[0] - z[1] * p[1] + input * q[0];
    z[1] = z[0] * p[1] + z[1] * p[0] + input * q[1];
    z[0] = next;
    re = (r[0] * z[0] - r[1] * z[1]) * 2;
    im = (r[0] * z[1] + r[1] * z[0]) * 2;
  }
};

struct StateSpace {
  int64_t n;
  int64_t real;
  const double* a;
  const double* b;
  const double* c;
  double* x;
  const double* input;
  double* s;
  void run(int64_t) const {
    const Linear system{real, a, b, c, x};
    double unread;
    for (int64_t i = 0; i < n; i++) system.step(i, input[i], s[i], unread);
  }
};

// SigmaS4dDelta: its input is summed up, and changes of what is read are sent from a threshold on.
struct SigmaStateSpace {
  int64_t n;
  int64_t real;
  const double* a;
  const double* b;
  const double* c;
  double* x;
  const double* input;
  const double* vth;
  double* sigma;
  double* act;
  double* residue;
  double* s;
  void run(int64_t) const {
    const Linear system{real, a, b, c, x};
    for (int64_t i = 0; i < n; i++) {
      sigma[i] = input[i] + sigma[i];
      double re, im;
      system.step(i, sigma[i], re, im);
      if (real) {
        const double delta = re - act[i] + residue[i];
        s[i] = std::fabs(delta) >= vth[i] ? delta : 0;
        residue[i] = delta - s[i];
        act[i] = re;
        continue;
      }
      double *was = act + 2 * i, *rest = residue + 2 * i;
      const double x_ = re - was[0] + rest[0], y_ = im - was[1] + rest[1];
      const bool sends = std::hypot(x_, y_) >= vth[i];
      s[i] = sends ? x_ : 0;
      rest[0] = sends ? 0 : x_;
      rest[1] = sends ? 0 : y_;
      was[0] = re;
      was[1] = im;
    }
  }
};
