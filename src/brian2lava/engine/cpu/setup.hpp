// What compiled set-up code contains besides runtime.hpp: the arguments, and how the candidates of
// a row of synapses are chosen. A row is all candidates of one neuron. Its random numbers depend
// on seed, execution, row and draw alone, so that a row can be made again when arrays have grown.
namespace b2l {

enum SetupResult { MADE = 0, NO_ROOM = 1, OUT_OF_RANGE = 2, SAMPLE_NEGATIVE = 3, SAMPLE_TOO_BIG = 4,
                   NO_STEP = 5, NEGATIVE_NUMBER = 6, NO_MEMORY = 7 };

// Every field takes eight bytes: the host sees it as an array of int64.
struct Setup {
    void **data;         // address of each array
    double *reals;       // constants
    int64_t *integers;   // constants
    uint64_t seed;
    uint64_t execution;  // of compiled set-up code, since seed()
    int64_t count;       // elements, or rows
    int64_t offset;      // CreateSynapses: what is added to a row's number
    int64_t results;     // CreateSynapses: how many neurons a result can name
    int64_t results_offset;
    void *values;        // Evaluate: _variable of each element
    char *mask;          // Evaluate: _cond of each element
    int32_t *pre;        // CreateSynapses: where synapses are written
    int32_t *post;
    int64_t capacity;    // synapses that fit there
    int64_t row;         // the row to go on with
    int64_t used;        // synapses that exist
    int64_t needed;      // NO_ROOM: synapses that have to fit
    int64_t least;       // OUT_OF_RANGE: extremes of the row; SAMPLE_*: size and population
    int64_t most;
};

static const uint64_t SETUP_SITE = 1ull << 32;      // away from the operations of step programs
static const uint64_t CHOICE_SITE = (1ull << 32) + 1;
static const int64_t CHUNK = 1024;

// The scratch memory of a row, kept from row to row.
struct Row {
    uint64_t key, execution;
    uint32_t element, draw;
    int32_t *chosen;     // positions that a sample chose
    int64_t chosen_room;
    uint64_t *taken;     // a bit a position
    int64_t taken_room;
    int32_t *found;      // results that get synapses
    int64_t found_room, found_count;
    bool failed;

    void begin(uint32_t number) {
        element = number;
        draw = 0;
        found_count = 0;
    }

    template <typename T> bool grow(T *&array, int64_t &room, int64_t needed) {
        if (needed <= room) return true;
        const int64_t more = needed + needed / 2 + CHUNK;
        T *grown = (T *)realloc(array, more * sizeof(T));
        if (!grown) {
            failed = true;
            return false;
        }
        array = grown;
        room = more;
        return true;
    }

    void end() {
        free(chosen);
        free(taken);
        free(found);
    }
};

static inline int64_t positions(int64_t low, int64_t high, int64_t step) {
    if (step > 0) return high > low ? (high - low - 1) / step + 1 : 0;
    return low > high ? (low - high - 1) / -step + 1 : 0;
}

// Four words for each draw; word c of the chunk is word c / 256 of draw c % 256.
static inline void draw_words(Row &row, uint32_t *words) {
    const uint64_t key = row.key, execution = row.execution;
    const uint32_t element = row.element, first = row.draw;
#pragma GCC ivdep
    for (uint32_t d = 0; d < CHUNK / 4; d++) {
        const Bits b = philox(key, element, first + d, execution);
        words[d] = b.x0;
        words[d + 256] = b.x1;
        words[d + 512] = b.x2;
        words[d + 768] = b.x3;
    }
    row.draw += CHUNK / 4;
}

static inline double next_uniform(Row &row) {
    return uniform(row.key, row.element, row.draw++, row.execution);
}

// mask[c] = a random number is below probability[c], for each c < n <= CHUNK. 32 bits decide,
// and where they don't (once in 2^32 times) 53 more.
static inline void accept(Row &row, const double *probability, int64_t n, char *mask) {
    double most = 0;
    for (int64_t c = 0; c < n; c++) most = probability[c] > most ? probability[c] : most;
    if (!(most > 0)) {
        memset(mask, 0, n);
        return;
    }
    alignas(64) uint32_t words[CHUNK];
    draw_words(row, words);
    int undecided = 0;
    for (int64_t c = 0; c < n; c++) {
        const double below = probability[c] * 0x1p32, word = (double)words[c];
        mask[c] = word + 1 <= below;
        undecided |= (word < below) & (word + 1 > below);
    }
    if (!undecided) return;
    for (int64_t c = 0; c < n; c++) {
        const double below = probability[c] * 0x1p32, word = (double)words[c];
        if (word < below && word + 1 > below) mask[c] = next_uniform(row) < below - word;
    }
}

// Choose each of n positions with probability p; returns how many, in `chosen`.
static int64_t choose_with(Row &row, int64_t n, double p) {
    if (n <= 0 || !(p > 0)) return 0;
    int64_t count = 0;
    if (p < 0.25) {  // draw the distances between those that are chosen
        const double scale = 1.0 / log1p(-p);
        int64_t position = -1;
        for (;;) {
            const int64_t expected = (int64_t)((n - position) * p * 1.1) + 8;
            const uint32_t draws = (uint32_t)(expected < 512 ? (expected + 1) / 2 : 256);
            alignas(64) int32_t jumps[512];
            const uint64_t key = row.key, execution = row.execution;
            const uint32_t element = row.element, first = row.draw;
#pragma GCC ivdep
            for (uint32_t d = 0; d < draws; d++) {
                const Bits b = philox(key, element, first + d, execution);
                const double one = log(1.0 - unit(b.x0, b.x1)) * scale;
                const double two = log(1.0 - unit(b.x2, b.x3)) * scale;
                jumps[d] = (int32_t)(one < 2147483646.0 ? one : 2147483646.0);
                jumps[d + 256] = (int32_t)(two < 2147483646.0 ? two : 2147483646.0);
            }
            row.draw += draws;
            if (!row.grow(row.chosen, row.chosen_room, count + 2 * (int64_t)draws)) return 0;
            for (uint32_t d = 0; d < 2 * draws; d++) {
                position += 1 + (int64_t)jumps[d < draws ? d : d - draws + 256];
                if (position >= n) return count;
                row.chosen[count++] = (int32_t)position;
            }
        }
    }
    alignas(64) double probability[CHUNK];
    alignas(64) char mask[CHUNK];
    for (int64_t c = 0; c < CHUNK; c++) probability[c] = p;
    if (!row.grow(row.chosen, row.chosen_room, n + CHUNK)) return 0;
    for (int64_t from = 0; from < n; from += CHUNK) {
        const int64_t m = n - from < CHUNK ? n - from : CHUNK;
        accept(row, probability, m, mask);
        for (int64_t c = 0; c < m; c++) {
            row.chosen[count] = (int32_t)(from + c);
            count += mask[c] != 0;
        }
    }
    return count;
}

// Choose `size` of n positions, each set of that size with the same probability; in order.
// Draws whichever is fewer: those that are chosen, or those that are not.
static int64_t choose_size(Row &row, int64_t n, int64_t size) {
    const bool rest = 2 * size > n;
    const int64_t draws = rest ? n - size : size, words = (n + 63) / 64;
    if (!row.grow(row.taken, row.taken_room, words)) return 0;
    if (!row.grow(row.chosen, row.chosen_room, size + 64)) return 0;
    memset(row.taken, 0, words * sizeof(uint64_t));
    for (int64_t drawn = 0; drawn < draws;) {
        const int64_t at = (int64_t)(next_uniform(row) * n);
        const uint64_t bit = 1ull << (at & 63);
        if (at >= n || row.taken[at >> 6] & bit) continue;
        row.taken[at >> 6] |= bit;
        drawn++;
    }
    int64_t count = 0;
    for (int64_t w = 0; w < words; w++) {
        uint64_t bits = rest ? ~row.taken[w] : row.taken[w];
        if (w == words - 1 && (n & 63)) bits &= (1ull << (n & 63)) - 1;
        for (; bits; bits &= bits - 1)
            row.chosen[count++] = (int32_t)(64 * w + __builtin_ctzll(bits));
    }
    return count;
}

// Keep the elements of `result` (and `inner`) whose mask is set; returns how many.
static inline int64_t keep(int32_t *result, int32_t *inner, const char *mask, int64_t n) {
    int64_t kept = 0;
    for (int64_t c = 0; c < n; c++) {
        const int32_t r = result[c], k = inner[c];
        result[kept] = r;
        inner[kept] = k;
        kept += mask[c] != 0;
    }
    return kept;
}

static inline void extremes(const int32_t *result, int64_t n, int64_t &least, int64_t &most) {
    int32_t low = INT32_MAX, high = INT32_MIN;
    for (int64_t c = 0; c < n; c++) {
        low = result[c] < low ? result[c] : low;
        high = result[c] > high ? result[c] : high;
    }
    if (n && low < least) least = low;
    if (n && high > most) most = high;
}

// Drop results outside of [0, size), or note them in `least` and `most`; returns how many are left.
static inline int64_t check_range(int32_t *result, int32_t *inner, int64_t n, int64_t size,
                                  bool skip, int64_t &least, int64_t &most) {
    int64_t low = 0, high = size - 1;
    extremes(result, n, low, high);
    if (low >= 0 && high < size) return n;
    if (!skip) {
        if (low < least) least = low;
        if (high > most) most = high;
        return 0;
    }
    char mask[CHUNK];
    for (int64_t c = 0; c < n; c++) mask[c] = result[c] >= 0 && result[c] < size;
    return keep(result, inner, mask, n);
}

// Put the row's results behind the synapses that exist.
static inline void write_row(Setup &s, const Row &row, bool outer_is_pre, int64_t outer,
                             int64_t result_offset) {
    int32_t *own = (outer_is_pre ? s.pre : s.post) + s.used;
    int32_t *other = (outer_is_pre ? s.post : s.pre) + s.used;
    for (int64_t c = 0; c < row.found_count; c++) own[c] = (int32_t)outer;
    for (int64_t c = 0; c < row.found_count; c++)
        other[c] = (int32_t)(row.found[c] + result_offset);
    s.used += row.found_count;
}

}  // namespace b2l
