// What every program for a graphics card contains: its context and its state, and spike delivery.
// Every field takes eight bytes: the host writes structures as arrays of int64.

namespace b2l {

static const int LANES = 32;    // threads that walk one row together
static const int64_t RUNNING = -1, NOBODY = -1;

// A spike in flight whose synapses have different delays. Its segment `cursor` .. `stop` - 1 arrives
// at step `due`; two copies, of which a step reads one and writes the other.
struct Flight { int64_t cursor, stop, end, due, born; };

struct Queue {
    int64_t first;            // of the sources
    const int64_t *row;       // of a source: its positions
    const int32_t *order;     // synapse at a position; null: the position itself
    const int32_t *steps;     // delay at a position; null: all the same
    int64_t delay;            // that delay
    int64_t chunk, chunks;    // positions that LANES threads walk, and how often the longest row has them
    int64_t now;              // executions of this pathway
    // same delay for all: sources in a ring; a slot for each step says where its sources are
    int32_t *fifo;
    int64_t fifo_capacity, fifo_begin, fifo_end;  // a power of two; positions that never wrap
    int64_t *born, *died;
    // different delays: a ring of flights, twice
    Flight *flights;
    int64_t flights_capacity, flights_begin, flights_end;
    // positions with an arrival step, oldest first
    const int64_t *explicit_due;
    const int32_t *explicit_synapse;
    int64_t explicit_count, explicit_position;
};

// Entries of a summed variable by target.
struct Sums { const int64_t *row; const int32_t *order; };

// What does not change while kernels run: it lies where all threads can read it at once. Its sizes are
// those of the program.
struct Context {
    void *data[B2L_ARRAYS];        // address of each array
    int64_t *rows[B2L_ARRAYS];     // number of rows of a dynamic array, null for the others
    int64_t capacity[B2L_ARRAYS];  // rows that fit
    int64_t length[B2L_ARRAYS];    // elements of an array that does not grow
    double reals[B2L_REALS];
    int64_t integers[B2L_INTEGERS];
    int64_t i_end[B2L_CLOCKS];     // last time step of each clock
    int64_t grid[B2L_GRID];        // the first block of each group, kernel by kernel
    int64_t stop;                  // set by the host
    int64_t limit;                 // steps at which the host wants to look
    uint64_t seed;
    int64_t *due;                  // clocks that are due in this step
    int64_t *executions;           // of each random operation, since seed()
    Queue *queues;
    Sums *sums;
    int32_t **found;               // of each threshold: the events of each block
    int32_t **counts;              // and their numbers
    const int64_t *targets;        // of each queue: how many targets there are
    Site *sites;                   // of each thread
};

struct State {
    int64_t turn;      // the kernel whose turn it is; NOBODY: the host has to look
    int64_t status;    // RUNNING, or why the host has to look
    int64_t level;     // the kernel to go on with
    int64_t arrived;   // blocks that are through with the kernel at hand
    int64_t halfway;   // whether the host was asked in the middle of a step
    int64_t answered;  // whether the host has done what a call asked for
    int64_t call;      // which Python call, or which operation or queue is full
    int64_t clock;     // the clock that leads this step
    int64_t steps;     // steps done since load
};

}  // namespace b2l
B2L_CONSTANTS(b2l::Context)
namespace b2l {

static inline Site &site() { return b2l_constants.sites[thread_number()]; }
static inline void rest(State &s, int64_t why) {
    s.status = why;
    s.turn = NOBODY;
}

// ---------------------------------------------------------------- events
// Of the threads of a block that are marked: those before `thread`, and all.
static inline int before(const uint32_t *words, int thread) {
    int count = 0;
    for (int k = 0; k < (thread >> 5); k++) count += ones(words[k]);
    return count + ones(words[thread >> 5] & ((1u << (thread & 31)) - 1u));
}
static inline bool marked(const uint32_t *words, int thread) {
    return words[thread >> 5] >> (thread & 31) & 1u;
}

// Join what the blocks of a threshold have found, in order. Run by one block.
static inline void join_events(const int32_t *found, const int32_t *counts, int64_t blocks,
                               int32_t *events, int64_t length) {
    B2L_SHARED int64_t sums[2][B2L_THREADS];
    B2L_SHARED int64_t total;
    B2L_PHASE { if (b2l_thread == 0) total = 0; }
    B2L_SYNC
    for (int64_t first = 0; first < blocks; first += B2L_THREADS) {
        B2L_PHASE {
            const int64_t k = first + b2l_thread;
            sums[0][b2l_thread] = k < blocks ? fresh(counts + k) : 0;
        }
        B2L_SYNC
        int from = 0;
        for (int step = 1; step < B2L_THREADS; step *= 2, from = 1 - from) {
            B2L_PHASE {
                const int t = b2l_thread;
                sums[1 - from][t] = sums[from][t] + (t >= step ? sums[from][t - step] : 0);
            }
            B2L_SYNC
        }
        B2L_PHASE {
            const int64_t k = first + b2l_thread;
            if (k < blocks) {
                const int64_t n = fresh(counts + k);
                const int64_t at = total + sums[from][b2l_thread] - n;
                for (int64_t e = 0; e < n; e++) events[at + e] = fresh(found + k * B2L_THREADS + e);
            }
        }
        B2L_SYNC
        B2L_PHASE { if (b2l_thread == 0) total += sums[from][B2L_THREADS - 1]; }
        B2L_SYNC
    }
    B2L_PHASE { if (b2l_thread == 0) events[length - 1] = (int32_t)total; }
    B2L_SYNC
}

// ---------------------------------------------------------------- what arrives
// The events of a pathway in this step: events[begin] .. events[end - 1].
struct Spikes { const int32_t *events; int64_t begin, end; };

static inline Spikes spikes_of(const int32_t *events, int64_t length, int64_t first, int64_t last) {
    Spikes spikes{events, 0, 0};
    between(events, events[length - 1], first, last, spikes.begin, spikes.end);
    return spikes;
}

// Sources whose rows arrive whole in this step.
struct Arrivals {
    const int32_t *sources;
    int64_t begin, count, mask, first;
    int64_t at(int64_t k) const { return sources[(begin + k) & mask] - first; }
};

static inline Arrivals arrivals(const Queue &q, const Spikes &spikes) {
    if (q.delay == 0)
        return Arrivals{spikes.events, spikes.begin, spikes.end - spikes.begin, INT64_MAX, q.first};
    if (q.now < q.delay) return Arrivals{q.fifo, 0, 0, 0, 0};
    const int64_t slot = (q.now - q.delay) % (q.delay + 1);
    return Arrivals{q.fifo, q.born[slot], q.died[slot] - q.born[slot], q.fifo_capacity - 1, 0};
}

static inline int64_t explicit_stop(const Queue &q) {
    int64_t low = q.explicit_position, high = q.explicit_count;
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (q.explicit_due[middle] <= q.now) low = middle + 1; else high = middle;
    }
    return low;
}

// The first position from `low` on with a longer delay than that at `low`.
static inline int64_t segment_end(const int32_t *steps, int64_t low, int64_t end) {
    if (low == end) return end;
    const int32_t delay = steps[low];
    int64_t high = end;
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (steps[middle] <= delay) low = middle + 1; else high = middle;
    }
    return low;
}

static inline Flight starting(const Queue &q, int64_t source) {
    Flight f;
    f.cursor = q.row[source];
    f.end = q.row[source + 1];
    f.born = q.now;
    f.stop = segment_end(q.steps, f.cursor, f.end);
    f.due = f.cursor < f.end ? q.now + q.steps[f.cursor] : INT64_MAX;
    return f;
}

// What a flight is after this step.
static inline Flight after(const Queue &q, Flight f) {
    if (f.due != q.now) return f;
    f.cursor = f.stop;
    f.stop = segment_end(q.steps, f.cursor, f.end);
    f.due = f.cursor < f.end ? f.born + q.steps[f.cursor] : INT64_MAX;
    return f;
}

static inline Flight *flights_read(const Queue &q) {
    return q.flights + (q.now & 1) * q.flights_capacity;
}
static inline Flight *flights_write(const Queue &q) {
    return q.flights + (1 - (q.now & 1)) * q.flights_capacity;
}

// A flight by number: those that live, then those that start in this step.
static inline Flight flight(const Queue &q, const Spikes &spikes, int64_t k) {
    const int64_t living = q.flights_end - q.flights_begin;
    if (k < living) return flights_read(q)[(q.flights_begin + k) & (q.flights_capacity - 1)];
    return starting(q, spikes.events[spikes.begin + k - living] - q.first);
}
static inline void keep_flight(const Queue &q, int64_t k, const Flight &f) {
    flights_write(q)[(q.flights_begin + k) & (q.flights_capacity - 1)] = f;
}

// Whether what starts in this step finds no room.
static inline bool is_full(const Queue &q, const Spikes &spikes) {
    const int64_t more = spikes.end - spikes.begin;
    if (q.steps) return q.flights_end - q.flights_begin + more > q.flights_capacity;
    return q.delay > 0 && q.fifo_end - q.fifo_begin + more > q.fifo_capacity;
}

// Keep what starts in this step; `mine` of `all` threads.
static inline void store(const Queue &q, const Spikes &spikes, int64_t mine, int64_t all) {
    if (q.steps || q.delay == 0) return;
    for (int64_t e = spikes.begin + mine; e < spikes.end; e += all)
        q.fifo[(q.fifo_end + e - spikes.begin) & (q.fifo_capacity - 1)] =
            (int32_t)(spikes.events[e] - q.first);
}
static inline void keep_flights(const Queue &q, const Spikes &spikes, int64_t mine, int64_t all) {
    if (!q.steps) return;
    const int64_t count = q.flights_end - q.flights_begin + spikes.end - spikes.begin;
    for (int64_t k = mine; k < count; k += all) keep_flight(q, k, after(q, flight(q, spikes, k)));
}

// After a step; one thread of the last block.
static inline void received(Queue &q, const Spikes &spikes) {
    const int64_t more = spikes.end - spikes.begin;
    if (q.explicit_position < q.explicit_count) q.explicit_position = explicit_stop(q);
    if (q.steps) {
        q.flights_end += more;
        const Flight *now = flights_write(q);
        while (q.flights_begin < q.flights_end &&
               fresh(&now[q.flights_begin & (q.flights_capacity - 1)].due) == INT64_MAX)
            q.flights_begin++;
    } else if (q.delay > 0) {
        const int64_t slot = q.now % (q.delay + 1);
        q.born[slot] = q.fifo_end;
        q.fifo_end += more;
        q.died[slot] = q.fifo_end;
        if (q.now >= q.delay) {
            const int64_t old = (q.now - q.delay) % (q.delay + 1);
            if (q.died[old] > q.fifo_begin) q.fifo_begin = q.died[old];
            q.born[old] = q.died[old] = q.fifo_begin;
        }
    }
    q.now++;
}

// ---------------------------------------------------------------- delivery
template <typename K> static inline void along(const Queue &q, int64_t low, int64_t high, K kernel) {
    for (int64_t k = low; k < high; k++) kernel(q.order ? (int64_t)q.order[k] : k);
}

// Everything that arrives, in order, by one thread: oldest spike first, then source, then synapse.
template <typename K>
static inline void deliver_in_order(const Queue &q, const Spikes &spikes, K kernel) {
    const int64_t stop = explicit_stop(q);
    for (int64_t k = q.explicit_position; k < stop; k++) kernel(q.explicit_synapse[k]);
    if (q.steps) {
        const int64_t count = q.flights_end - q.flights_begin + spikes.end - spikes.begin;
        for (int64_t k = 0; k < count; k++) {
            const Flight f = flight(q, spikes, k);
            if (f.due == q.now) along(q, f.cursor, f.stop, kernel);
        }
        return;
    }
    const Arrivals due = arrivals(q, spikes);
    for (int64_t k = 0; k < due.count; k++) along(q, q.row[due.at(k)], q.row[due.at(k) + 1], kernel);
}

// The part of a segment, in which targets ascend, that has the targets first .. last - 1.
template <typename K>
static inline void along_targets(const Queue &q, int64_t low, int64_t high, const int32_t *targets,
                                 int64_t first, int64_t last, K kernel) {
    int64_t end = high;
    while (low < end) {
        const int64_t middle = (low + end) / 2;
        if (targets[q.order ? q.order[middle] : middle] < first) low = middle + 1; else end = middle;
    }
    for (int64_t k = low; k < high; k++) {
        const int64_t synapse = q.order ? (int64_t)q.order[k] : k;
        if (targets[synapse] >= last) break;
        kernel(synapse);
    }
}

// What arrives at the targets of thread `mine`, in order: as if one thread did everything.
template <typename K>
static inline void deliver_by_target(const Queue &q, const Spikes &spikes, const int32_t *targets,
                                     int64_t count, int64_t mine, int64_t all, K kernel) {
    const int64_t first = count * mine / all, last = count * (mine + 1) / all;
    if (first == last) return;
    const int64_t stop = explicit_stop(q);
    for (int64_t k = q.explicit_position; k < stop; k++) {
        const int32_t synapse = q.explicit_synapse[k];
        if (targets[synapse] >= first && targets[synapse] < last) kernel(synapse);
    }
    if (q.steps) {
        const int64_t flights = q.flights_end - q.flights_begin + spikes.end - spikes.begin;
        for (int64_t k = 0; k < flights; k++) {
            const Flight f = flight(q, spikes, k);
            if (f.due == q.now) along_targets(q, f.cursor, f.stop, targets, first, last, kernel);
        }
        return;
    }
    const Arrivals due = arrivals(q, spikes);
    for (int64_t k = 0; k < due.count; k++) {
        const int64_t source = due.at(k);
        along_targets(q, q.row[source], q.row[source + 1], targets, first, last, kernel);
    }
}

// Every synapse by a thread of its own, in no order. Synapses that arrive explicitly may come in a
// row, too, so steps with such are left to one thread.
template <typename K>
static inline void deliver_at_once(const Queue &q, const Spikes &spikes, int64_t mine, int64_t all,
                                   K kernel) {
    if (q.explicit_position < q.explicit_count && q.explicit_due[q.explicit_position] <= q.now) {
        if (mine == 0) deliver_in_order(q, spikes, kernel);
        return;
    }
    const int64_t lane = mine % LANES, team = mine / LANES, teams = all / LANES;
    if (q.steps) {
        const int64_t count = q.flights_end - q.flights_begin + spikes.end - spikes.begin;
        for (int64_t k = team; k < count; k += teams) {
            const Flight f = flight(q, spikes, k);
            if (f.due != q.now) continue;
            for (int64_t at = f.cursor + lane; at < f.stop; at += LANES)
                kernel(q.order ? (int64_t)q.order[at] : at);
        }
        return;
    }
    const Arrivals due = arrivals(q, spikes);
    const int64_t items = due.count * q.chunks;
    for (int64_t item = team; item < items; item += teams) {
        const int64_t source = due.at(item / q.chunks), begin = (item % q.chunks) * q.chunk;
        const int64_t low = q.row[source] + begin;
        int64_t high = q.row[source + 1];
        if (high > low + q.chunk) high = low + q.chunk;
        for (int64_t at = low + lane; at < high; at += LANES)
            kernel(q.order ? (int64_t)q.order[at] : at);
    }
}

}  // namespace b2l
