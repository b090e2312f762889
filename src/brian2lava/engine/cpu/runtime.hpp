// What every compiled step program for a processor contains: spike delivery and threads.

namespace b2l {

// Every field takes eight bytes: the host sees the context as an array of int64.
struct Context {
    void **data;          // address of each array
    int64_t **rows;       // number of rows of a dynamic array, null for the others
    int64_t *capacity;    // rows that fit
    int64_t *length;      // elements of an array that does not grow
    double *reals;        // constants
    int64_t *integers;    // constants
    int64_t *i_end;       // last time step of each clock
    int64_t *due;         // clocks that are due in this step
    int64_t *executions;  // of each random operation, since seed()
    double *seconds;      // of each operation, when profiling
    double *report;       // seconds of table building, ...
    int64_t operation;    // where to go on
    int64_t call;         // which Python call, or which operation is full
    int64_t clock;        // the clock that leads this step
    int64_t stop;         // set by the host
    int64_t budget;       // nanoseconds until the engine comes back on its own
    int64_t max_steps;    // steps until the engine comes back on its own
    int64_t steps;        // steps done since load
    int64_t threads;
    int64_t profile;
    uint64_t seed;
    void *state;          // the engine's own
    int64_t error;
    int64_t exported;     // address and size of what export_queue made
    int64_t exported_size;
    double *dt_fallback;
};

static thread_local Site own_site;
static inline Site &site() { return own_site; }

static inline double now_seconds() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

// The same for elements low .. high - 1, low even; one place behind the end may be written.
void draw_rand(double *drawn, uint64_t key, int64_t low, int64_t high, uint32_t draw,
               uint64_t execution);
void draw_randn(double *drawn, uint64_t key, int64_t low, int64_t high, uint32_t draw,
                uint64_t execution);

// ---------------------------------------------------------------- threads
// One team; a parallel region is a function of the thread's number. Spins, then sleeps.
struct Team {
    typedef void (*Region)(Context &, int, int);
    int size;
    pthread_t *threads;
    volatile int64_t epoch, finished;
    volatile int quit;
    Region region;
    Context *context;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    volatile int sleeping;

    struct Start { Team *team; int number; };

    static void *work(void *argument);
    void start(int n);
    void signal();
    void run(Region f, Context &c);
    void end();
};

// A thread's share of n elements; borders are multiples of 64, so that the vector loops of all
// threads and of one thread have the same tails.
static inline void share(int64_t n, int thread, int threads, int64_t &low, int64_t &high) {
    const int64_t blocks = (n + 63) / 64;
    low = 64 * (blocks * thread / threads);
    high = 64 * (blocks * (thread + 1) / threads);
    if (low > n) low = n;
    if (high > n) high = n;
}

// ---------------------------------------------------------------- events
// Append to `events` the elements of [low, high) whose mask is set.
static inline int64_t collect(const char *mask, int64_t low, int64_t high, int32_t *events,
                              int64_t count) {
    int64_t k = low;
    for (; k + 8 <= high; k += 8) {
        uint64_t eight;
        memcpy(&eight, mask + (k - low), 8);
        while (eight) {
            const int64_t which = __builtin_ctzll(eight) >> 3;
            events[count++] = (int32_t)(k + which);
            eight &= ~(0xFFull << (8 * which));
        }
    }
    for (; k < high; k++)
        if (mask[k - low]) events[count++] = (int32_t)k;
    return count;
}

// ---------------------------------------------------------------- spike delivery
// Synapses are found by source, through rows of a table sorted by (source, delay); queues hold
// spikes, not synapses. Order at a target: oldest spike first, then source, then synapse.
struct Range { int64_t begin, end; };
struct Flight { int64_t cursor, end, due, born; };

struct Queue {
    // configuration
    int64_t first, sources_count, synapses;
    // table
    int64_t *row;        // sources_count + 1 positions
    int32_t *order;      // synapse at a position; null: the position itself
    int32_t *steps;      // delay at a position; null: all the same
    int64_t delay;       // that delay
    int64_t max_delay;
    uint64_t fingerprint;
    int unique;          // no target twice in a row
    int ascending;       // targets ascend within each row and delay
    double dt;
    // same delay for all: sources that spiked, by age
    int32_t *fifo;
    int64_t fifo_capacity, fifo_begin, fifo_end;
    int64_t *born;       // ring over delay + 1 steps: where a step's spikes begin
    int64_t *died;       // and end
    // different delays: one record a spike in flight
    Flight *flights;
    int64_t flights_capacity, flights_begin, flights_end;
    // explicit lane: positions with an arrival step, oldest first
    int64_t *explicit_due;
    int32_t *explicit_synapse;
    int64_t explicit_count, explicit_position;
    int64_t now;         // executions of this pathway
    // what is due in this step, in table positions
    Range *ranges;
    int64_t ranges_capacity, ranges_count;
    // copies of synaptic arrays in table order, for rows that are not consecutive
    void *copies[16];
    int copied;
};

struct Pending { int64_t due; int32_t synapse; };
void drop_queue(Queue &q);
Pending *pending(const Queue &q, int64_t &count);
void set_explicit(Queue &q, const Pending *list, int64_t count);
template <typename Real>
void prepare(Queue &q, int64_t first, int64_t last, const int32_t *sources,
             const int32_t *targets, int64_t synapses, const Real *delays, int64_t delays_count,
             double dt);
void receive(Queue &q, const int32_t *events, int64_t events_count);

static const int64_t COPY_LIMIT = 128 << 20;  // bytes

template <typename T> static void copy_in_order(Queue &q, int place, const T *values) {
    if (!q.copies[place]) q.copies[place] = malloc((q.synapses + 1) * sizeof(T));
    T *copy = (T *)q.copies[place];
    for (int64_t k = 0; k < q.synapses; k++) copy[k] = values[q.order[k]];
}

// ---------------------------------------------------------------- denormal numbers
// Processors may lose them and graphics cards keep them, so where bits count they stay.
static inline unsigned flush_denormals() {
#if defined(__x86_64__) && !defined(B2L_EXACT)
    const unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
    return before;
#else
    return 0;
#endif
}

static inline void restore_denormals(unsigned before) {
#if defined(__x86_64__) && !defined(B2L_EXACT)
    _mm_setcsr(before);
#else
    (void)before;
#endif
}

}  // namespace b2l
