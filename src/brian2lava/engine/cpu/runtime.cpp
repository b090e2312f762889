// The part of the runtime that is the same for every program: compiled once, linked to all.
// Its text follows that of runtime.hpp.

#ifndef B2L_EXACT
// exp(x) = 2^n exp(r), |r| <= ln(2)/2; exp(r) by a polynomial of degree 11 (Chebyshev fit, relative
// error 3e-18), evaluated in a tree; n is added to the exponent. Below the normal numbers: 0.
extern "C" B2L_VECTOR_FUNCTION double exp(double x) noexcept {
    // adding 1.5 * 2^52 rounds to a whole number, and leaves it in the low bits
    const double shifted = __builtin_fma(x, 1.4426950408889634074, 0x1.8p52);
    const double n = shifted - 0x1.8p52;
    double r = __builtin_fma(n, -6.93147180369123816490e-01, x);
    r = __builtin_fma(n, -1.90821492927058770002e-10, r);
    const double r2 = r * r, r4 = r2 * r2, r8 = r4 * r4;
    const double p01 = __builtin_fma(r, 1.0, 1.0);
    const double p23 = __builtin_fma(r, 0x1.555555555555ap-3, 0x1.0000000000011p-1);
    const double p45 = __builtin_fma(r, 0x1.111111110f21ep-7, 0x1.555555554f0bap-5);
    const double p67 = __builtin_fma(r, 0x1.a01a01b1461c5p-13, 0x1.6c16c1880029fp-10);
    const double p89 = __builtin_fma(r, 0x1.71ddf56d8deb5p-19, 0x1.a01991a10d9aep-16);
    const double pab = __builtin_fma(r, 0x1.af632a0f7e2cep-26, 0x1.28b4101c77212p-22);
    const double p03 = __builtin_fma(r2, p23, p01);
    const double p47 = __builtin_fma(r2, p67, p45);
    const double p8b = __builtin_fma(r2, pab, p89);
    const double p = __builtin_fma(r8, p8b, __builtin_fma(r4, p47, p03));
    uint64_t bits, whole;
    __builtin_memcpy(&bits, &p, 8);
    __builtin_memcpy(&whole, &shifted, 8);
    bits += whole << 52;
    double value;
    __builtin_memcpy(&value, &bits, 8);
    value = x < -708.39641853226408 ? 0.0 : value;
    value = x > 709.78271289338397 ? (double)INFINITY : value;
    return x == x ? value : x;
}
#endif

namespace b2l {

void draw_rand(double *__restrict drawn, uint64_t key, int64_t low, int64_t high, uint32_t draw,
               uint64_t execution) {
    const int64_t pairs = (high - low + 1) / 2;
    const uint32_t first = (uint32_t)(low >> 1);
    for (int64_t k = 0; k < pairs; k++) {
        const Bits b = philox(key, first + (uint32_t)k, draw, execution);
        drawn[2 * k] = unit(b.x0, b.x1);
        drawn[2 * k + 1] = unit(b.x2, b.x3);
    }
}

void draw_randn(double *__restrict drawn, uint64_t key, int64_t low, int64_t high, uint32_t draw,
                uint64_t execution) {
    const int64_t pairs = (high - low + 1) / 2;
    const uint32_t first = (uint32_t)(low >> 1);
    for (int64_t k = 0; k < pairs; k++) {
        const Bits b = philox(key, first + (uint32_t)k, draw, execution);
        const double radius = sqrt(-2.0 * log(1.0 - unit(b.x0, b.x1)));
        const double angle = 6.283185307179586477 * unit(b.x2, b.x3);
        drawn[2 * k] = radius * cos(angle);
        drawn[2 * k + 1] = radius * cos(angle - 1.5707963267948966192);
    }
}

void *Team::work(void *argument) {
    Start start = *(Start *)argument;
    free(argument);
    Team &team = *start.team;
    int64_t seen = 0;
    for (;;) {
        int spins = 0;
        while (__atomic_load_n(&team.epoch, __ATOMIC_ACQUIRE) == seen) {
            if (++spins < 4000) {
#if defined(__x86_64__)
                _mm_pause();
#endif
            } else if (spins < 5000) {
                sched_yield();
            } else {
                pthread_mutex_lock(&team.mutex);
                team.sleeping++;
                while (__atomic_load_n(&team.epoch, __ATOMIC_SEQ_CST) == seen)
                    pthread_cond_wait(&team.wake, &team.mutex);
                team.sleeping--;
                pthread_mutex_unlock(&team.mutex);
            }
        }
        seen++;
        if (team.quit) return nullptr;
        team.region(*team.context, start.number, team.size);
        __atomic_add_fetch(&team.finished, 1, __ATOMIC_RELEASE);
    }
}

void Team::start(int n) {
    size = n;
    epoch = finished = 0;
    quit = sleeping = 0;
    pthread_mutex_init(&mutex, nullptr);
    pthread_cond_init(&wake, nullptr);
    threads = (pthread_t *)calloc(n, sizeof(pthread_t));
    for (int k = 1; k < n; k++) {
        Start *s = (Start *)malloc(sizeof(Start));
        s->team = this;
        s->number = k;
        pthread_create(&threads[k], nullptr, work, s);
    }
}

void Team::signal() {
    __atomic_add_fetch(&epoch, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&sleeping, __ATOMIC_SEQ_CST)) {
        pthread_mutex_lock(&mutex);
        pthread_cond_broadcast(&wake);
        pthread_mutex_unlock(&mutex);
    }
}

void Team::run(Region f, Context &c) {
    if (size == 1) {
        f(c, 0, 1);
        return;
    }
    region = f;
    context = &c;
    __atomic_store_n(&finished, 0, __ATOMIC_RELAXED);
    signal();
    f(c, 0, size);
    int spins = 0;
    while (__atomic_load_n(&finished, __ATOMIC_ACQUIRE) != size - 1) {
        if (++spins > 2000) sched_yield();
#if defined(__x86_64__)
        else _mm_pause();
#endif
    }
}

void Team::end() {
    quit = 1;
    signal();
    for (int k = 1; k < size; k++) pthread_join(threads[k], nullptr);
    free(threads);
}
static inline void grow_ranges(Queue &q, int64_t needed) {
    if (needed <= q.ranges_capacity) return;
    q.ranges_capacity = needed * 2 + 64;
    q.ranges = (Range *)realloc(q.ranges, q.ranges_capacity * sizeof(Range));
}

static inline void drop_table(Queue &q) {
    free(q.row); free(q.order); free(q.steps);
    for (int k = 0; k < 16; k++) { free(q.copies[k]); q.copies[k] = nullptr; }
    q.row = nullptr; q.order = nullptr; q.steps = nullptr;
    q.copied = 0;
}

void drop_queue(Queue &q) {
    drop_table(q);
    free(q.fifo); free(q.born); free(q.died); free(q.flights);
    free(q.explicit_due); free(q.explicit_synapse); free(q.ranges);
    memset(&q, 0, sizeof(q));
}

// Move every spike in flight into a list of (steps from now, synapse), oldest first.
Pending *pending(const Queue &q, int64_t &count) {
    int64_t capacity = q.explicit_count - q.explicit_position + 64;
    count = 0;
    Pending *list = (Pending *)malloc(capacity * sizeof(Pending));
#define B2L_PEND(d, s)                                                                     \
    do {                                                                                   \
        if (count == capacity)                                                             \
            list = (Pending *)realloc(list, (capacity = 2 * capacity) * sizeof(Pending));  \
        list[count].due = (d);                                                             \
        list[count++].synapse = (s);                                                       \
    } while (0)
    for (int64_t k = q.explicit_position; k < q.explicit_count; k++)
        B2L_PEND(q.explicit_due[k] - q.now, q.explicit_synapse[k]);
    if (q.row && !q.steps && q.born)
        for (int64_t age = q.delay; age >= 1; age--) {  // spikes of step now - age are due at now + delay - age
            if (q.now - age < 0) continue;
            const int64_t slot = (q.now - age) % (q.delay + 1);
            for (int64_t f = q.born[slot]; f < q.died[slot]; f++)
                for (int64_t k = q.row[q.fifo[f]]; k < q.row[q.fifo[f] + 1]; k++)
                    B2L_PEND(q.delay - age, q.order ? q.order[k] : (int32_t)k);
        }
    if (q.row && q.steps)
        for (int64_t f = q.flights_begin; f < q.flights_end; f++)
            for (int64_t k = q.flights[f].cursor; k < q.flights[f].end; k++)
                B2L_PEND(q.flights[f].born + q.steps[k] - q.now, q.order ? q.order[k] : (int32_t)k);
#undef B2L_PEND
    // stable sort by arrival (counting sort)
    int64_t last = 0;
    for (int64_t k = 0; k < count; k++) if (list[k].due > last) last = list[k].due;
    int64_t *place = (int64_t *)calloc(last + 2, sizeof(int64_t));
    for (int64_t k = 0; k < count; k++) place[list[k].due + 1]++;
    for (int64_t k = 0; k <= last; k++) place[k + 1] += place[k];
    Pending *sorted = (Pending *)malloc((count + 1) * sizeof(Pending));
    for (int64_t k = 0; k < count; k++) sorted[place[list[k].due]++] = list[k];
    free(place);
    free(list);
    return sorted;
}

// Forget the fast lanes and take `list` (sorted by arrival) as the explicit lane.
void set_explicit(Queue &q, const Pending *list, int64_t count) {
    free(q.explicit_due); free(q.explicit_synapse);
    q.explicit_due = (int64_t *)malloc((count + 1) * sizeof(int64_t));
    q.explicit_synapse = (int32_t *)malloc((count + 1) * sizeof(int32_t));
    for (int64_t k = 0; k < count; k++) {
        q.explicit_due[k] = q.now + list[k].due;
        q.explicit_synapse[k] = list[k].synapse;
    }
    q.explicit_count = count;
    q.explicit_position = 0;
    q.fifo_begin = q.fifo_end = q.flights_begin = q.flights_end = 0;
    if (q.born) {
        memset(q.born, 0, (q.delay + 1) * sizeof(int64_t));
        memset(q.died, 0, (q.delay + 1) * sizeof(int64_t));
    }
}

static inline uint64_t mix(uint64_t h, uint64_t x) {
    h ^= x;
    h *= 0x9FB21C651E98DF25ull;
    return h ^ (h >> 28);
}

template <typename Real>
static uint64_t fingerprint_of(const Real *delays, int64_t n, int64_t synapses, double dt) {
    uint64_t h0 = mix(1, (uint64_t)synapses), h1 = mix(2, (uint64_t)n);
    uint64_t bits = 0;
    memcpy(&bits, &dt, 8);
    h0 = mix(h0, bits);
    int64_t k = 0;
    for (; k + 2 <= n; k += 2) {
        double a = (double)delays[k], b = (double)delays[k + 1];
        uint64_t x, y;
        memcpy(&x, &a, 8);
        memcpy(&y, &b, 8);
        h0 = mix(h0, x);
        h1 = mix(h1, y);
    }
    for (; k < n; k++) {
        double a = (double)delays[k];
        uint64_t x;
        memcpy(&x, &a, 8);
        h0 = mix(h0, x);
    }
    return mix(h0, h1) | 1;
}

// Delays in steps, rounded as Brian2 does: a quotient near a half must not be a product with the
// inverse, so these are compiled without -ffast-math.
template <typename Real>
static B2L_PRECISE void delay_range(const Real *delays, int64_t n, double dt, int64_t &least,
                                    int64_t &most) {
    for (int64_t k = 0; k < n; k++) {
        const int64_t d = (int64_t)((double)delays[k] / dt + 0.5);
        if (k == 0 || d < least) least = d;
        if (k == 0 || d > most) most = d;
    }
}

template <typename Real>
static B2L_PRECISE void delay_steps(const Real *delays, int64_t n, double dt, int32_t *steps) {
    for (int64_t k = 0; k < n; k++) steps[k] = (int32_t)((double)delays[k] / dt + 0.5);
}

// Build the table where synapses, delays or dt changed. Spikes in flight keep their arrival.
template <typename Real>
void prepare(Queue &q, int64_t first, int64_t last, const int32_t *sources,
                    const int32_t *targets, int64_t synapses, const Real *delays,
                    int64_t delays_count, double dt) {
    const uint64_t fingerprint = fingerprint_of(delays, delays_count, synapses, dt);
    if (q.row && q.fingerprint == fingerprint && q.sources_count == last - first) return;
    if (q.row || q.explicit_count > q.explicit_position) {
        int64_t count;
        Pending *list = pending(q, count);
        if (q.dt != 0 && q.dt != dt)  // Brian2's rule for a changed dt
            for (int64_t k = 0; k < count; k++)
                list[k].due = (int64_t)(list[k].due * (q.dt / dt) + 0.5);
        set_explicit(q, list, count);
        free(list);
    }
    drop_table(q);
    free(q.born); free(q.died);
    q.born = q.died = nullptr;
    const int64_t n = last - first;
    q.first = first;
    q.sources_count = n;
    q.synapses = synapses;
    q.fingerprint = fingerprint;
    q.dt = dt;
    q.row = (int64_t *)calloc(n + 2, sizeof(int64_t));
    int sorted = 1;
    for (int64_t k = 0; k < synapses; k++) {
        q.row[sources[k] - first + 1]++;
        if (k && sources[k] < sources[k - 1]) sorted = 0;
    }
    for (int64_t k = 0; k < n; k++) q.row[k + 1] += q.row[k];
    // delays
    int64_t least = 0, most = 0;
    delay_range(delays, delays_count, dt, least, most);
    q.max_delay = most;
    const bool same = least == most;
    if (!sorted) {
        q.order = (int32_t *)malloc((synapses + 1) * sizeof(int32_t));
        int64_t *place = (int64_t *)malloc((n + 1) * sizeof(int64_t));
        memcpy(place, q.row, (n + 1) * sizeof(int64_t));
        for (int64_t k = 0; k < synapses; k++) q.order[place[sources[k] - first]++] = (int32_t)k;
        free(place);
    }
    if (same) {
        q.delay = most;
        q.born = (int64_t *)calloc(most + 1, sizeof(int64_t));
        q.died = (int64_t *)calloc(most + 1, sizeof(int64_t));
    } else {
        q.delay = -1;
        q.steps = (int32_t *)malloc((synapses + 1) * sizeof(int32_t));
        int32_t *whole = (int32_t *)malloc((synapses + 1) * sizeof(int32_t));
        delay_steps(delays, synapses, dt, whole);
        int32_t *order = (int32_t *)malloc((synapses + 1) * sizeof(int32_t));
        int64_t *place = (int64_t *)malloc((most - least + 2) * sizeof(int64_t));
        for (int64_t s = 0; s < n; s++) {  // counting sort by delay, stable
            const int64_t b = q.row[s], e = q.row[s + 1];
            if (e - b < most - least) {  // short row: insertion sort
                for (int64_t k = b; k < e; k++) {
                    const int32_t synapse = q.order ? q.order[k] : (int32_t)k;
                    const int32_t d = whole[synapse];
                    int64_t at = k;
                    while (at > b && q.steps[at - 1] > d) {
                        q.steps[at] = q.steps[at - 1];
                        order[at] = order[at - 1];
                        at--;
                    }
                    q.steps[at] = d;
                    order[at] = synapse;
                }
                continue;
            }
            memset(place, 0, (most - least + 2) * sizeof(int64_t));
            for (int64_t k = b; k < e; k++) {
                const int32_t synapse = q.order ? q.order[k] : (int32_t)k;
                place[whole[synapse] - least + 1]++;
            }
            for (int64_t d = 0; d <= most - least; d++) place[d + 1] += place[d];
            for (int64_t k = b; k < e; k++) {
                const int32_t synapse = q.order ? q.order[k] : (int32_t)k;
                const int64_t d = whole[synapse];
                const int64_t at = b + place[d - least]++;
                q.steps[at] = (int32_t)d;
                order[at] = synapse;
            }
        }
        free(place);
        free(whole);
        free(q.order);
        q.order = order;
    }
    // what the rows are like
    q.unique = q.ascending = 1;
    for (int64_t s = 0; s < n && q.ascending; s++)
        for (int64_t k = q.row[s] + 1; k < q.row[s + 1]; k++) {
            if (q.steps && q.steps[k] != q.steps[k - 1]) continue;
            const int32_t a = targets[q.order ? q.order[k - 1] : k - 1];
            const int32_t b = targets[q.order ? q.order[k] : k];
            if (b == a) q.unique = 0;
            if (b < a) { q.ascending = 0; break; }
        }
    if (!q.ascending) q.unique = 0;
}

// Take what spikes now, and list what arrives now.
void receive(Queue &q, const int32_t *events, int64_t events_count) {
    int64_t begin, end;
    between(events, events_count, q.first, q.first + q.sources_count, begin, end);
    q.ranges_count = 0;
    const int64_t now = q.now;
    if (q.explicit_position < q.explicit_count) {
        int64_t stop = q.explicit_position;
        while (stop < q.explicit_count && q.explicit_due[stop] <= now) stop++;
        grow_ranges(q, stop - q.explicit_position);
        for (; q.explicit_position < stop; q.explicit_position++) {
            const int32_t synapse = q.explicit_synapse[q.explicit_position];
            q.ranges[q.ranges_count].begin = -1 - (int64_t)synapse;  // a synapse, not a position
            q.ranges[q.ranges_count++].end = 0;
        }
    }
    if (!q.steps) {
        if (q.delay == 0) {
            grow_ranges(q, q.ranges_count + end - begin);
            for (int64_t e = begin; e < end; e++) {
                const int64_t s = events[e] - q.first;
                q.ranges[q.ranges_count].begin = q.row[s];
                q.ranges[q.ranges_count++].end = q.row[s + 1];
            }
        } else {
            const int64_t slot = now % (q.delay + 1);
            if (q.fifo_end + (end - begin) > q.fifo_capacity) {
                // move the living to the front, then grow if that is not enough
                const int64_t living = q.fifo_end - q.fifo_begin;
                if (living + (end - begin) > q.fifo_capacity / 2) {
                    q.fifo_capacity = 2 * (living + (end - begin)) + 1024;
                    q.fifo = (int32_t *)realloc(q.fifo, q.fifo_capacity * sizeof(int32_t));
                }
                memmove(q.fifo, q.fifo + q.fifo_begin, living * sizeof(int32_t));
                for (int64_t k = 0; k <= q.delay; k++) {
                    q.born[k] -= q.fifo_begin;
                    q.died[k] -= q.fifo_begin;
                }
                q.fifo_end = living;
                q.fifo_begin = 0;
            }
            q.born[slot] = q.fifo_end;
            for (int64_t e = begin; e < end; e++) q.fifo[q.fifo_end++] = (int32_t)(events[e] - q.first);
            q.died[slot] = q.fifo_end;
            if (now >= q.delay) {
                const int64_t old = (now - q.delay) % (q.delay + 1);
                grow_ranges(q, q.ranges_count + q.died[old] - q.born[old]);
                for (int64_t f = q.born[old]; f < q.died[old]; f++) {
                    const int64_t s = q.fifo[f];
                    q.ranges[q.ranges_count].begin = q.row[s];
                    q.ranges[q.ranges_count++].end = q.row[s + 1];
                }
                if (q.died[old] > q.fifo_begin) q.fifo_begin = q.died[old];
                q.born[old] = q.died[old] = q.fifo_begin;
            }
        }
    } else {
        if (q.flights_end + (end - begin) > q.flights_capacity) {
            const int64_t living = q.flights_end - q.flights_begin;
            if (living + (end - begin) > q.flights_capacity / 2) {
                q.flights_capacity = 2 * (living + (end - begin)) + 1024;
                q.flights = (Flight *)realloc(q.flights, q.flights_capacity * sizeof(Flight));
            }
            memmove(q.flights, q.flights + q.flights_begin, living * sizeof(Flight));
            q.flights_begin = 0;
            q.flights_end = living;
        }
        for (int64_t e = begin; e < end; e++) {
            const int64_t s = events[e] - q.first;
            if (q.row[s] == q.row[s + 1]) continue;
            Flight &flight = q.flights[q.flights_end++];
            flight.cursor = q.row[s];
            flight.end = q.row[s + 1];
            flight.born = now;
            flight.due = now + q.steps[flight.cursor];
        }
        grow_ranges(q, q.ranges_count + q.flights_end - q.flights_begin);
        for (int64_t f = q.flights_begin; f < q.flights_end; f++) {
            Flight &flight = q.flights[f];
            if (flight.due != now) continue;
            const int32_t age = (int32_t)(now - flight.born);
            int64_t k = flight.cursor + 1;
            while (k < flight.end && q.steps[k] == age) k++;
            q.ranges[q.ranges_count].begin = flight.cursor;
            q.ranges[q.ranges_count++].end = k;
            flight.cursor = k;
            flight.due = k < flight.end ? flight.born + q.steps[k] : INT64_MAX;
        }
        while (q.flights_begin < q.flights_end && q.flights[q.flights_begin].due == INT64_MAX)
            q.flights_begin++;
    }
    q.now++;
}

template void prepare<double>(Queue &, int64_t, int64_t, const int32_t *, const int32_t *, int64_t,
                              const double *, int64_t, double);
template void prepare<float>(Queue &, int64_t, int64_t, const int32_t *, const int32_t *, int64_t,
                             const float *, int64_t, double);

}  // namespace b2l
