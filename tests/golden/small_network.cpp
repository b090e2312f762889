

namespace operation_0 {
#line 1 "operation_0_support"
static inline int64_t _timestep(double t, double dt)
{
    return (int64_t)((t + 1e-3*dt)/dt);
}
#line 1 "rendered"
static inline __attribute__((always_inline)) auto make(b2l::Context &b2l_c) {
(void)b2l_c;

double *b2l_name_0 = ((double *)b2l_c.data[3]);
double *b2l_name_1 = ((double *)b2l_c.data[4]);
const double tau = (double)b2l_c.reals[0];

const int64_t _vectorisation_idx = -1; (void)_vectorisation_idx;

#line 1 "operation_0_scalar"
const double dt = b2l_name_1[0];
const double t = b2l_name_0[0];
const int64_t _lio_1 = _timestep(0.001, dt);
const double _lio_2 = 1.0*(- dt)/tau;
const double _lio_3 = 2.0 - (2.0 * exp(_lio_2));
const double _lio_4 = exp(_lio_2);
#line 1 "rendered"
return [=, &b2l_c](const int64_t _low, const int64_t _high, char *_mask) {
(void)b2l_c; (void)_mask;
double *__restrict b2l_name_2 = ((double *)b2l_c.data[0]);
char *__restrict b2l_name_3 = ((char *)b2l_c.data[1]);
double *__restrict b2l_name_4 = ((double *)b2l_c.data[2]);
#pragma GCC ivdep
for (int64_t _idx = _low; _idx < _high; _idx++) {
const int64_t _vectorisation_idx = _idx; (void)_vectorisation_idx;

#line 1 "operation_0_vector"
const double lastspike = b2l_name_2[_idx];
char not_refractory = b2l_name_3[_idx];
double v = b2l_name_4[_idx];
not_refractory = _timestep(t - lastspike, dt) >= _lio_1;
double _v;
if(!not_refractory)
    _v = v;
else 
    _v = _lio_3 + (_lio_4 * v);
if(not_refractory)
    v = _v;
b2l_name_3[_idx] = not_refractory;
b2l_name_4[_idx] = v;
#line 1 "rendered"

}
};
}

}

namespace operation_1 {

static inline __attribute__((always_inline)) auto make(b2l::Context &b2l_c) {
(void)b2l_c;




const int64_t _vectorisation_idx = -1; (void)_vectorisation_idx;


return [=, &b2l_c](const int64_t _low, const int64_t _high, char *_mask) {
(void)b2l_c; (void)_mask;
char *__restrict b2l_name_3 = ((char *)b2l_c.data[1]);
double *__restrict b2l_name_4 = ((double *)b2l_c.data[2]);
#pragma GCC ivdep
for (int64_t _idx = _low; _idx < _high; _idx++) {
const int64_t _vectorisation_idx = _idx; (void)_vectorisation_idx;

#line 1 "operation_1_vector"
const char not_refractory = b2l_name_3[_idx];
const double v = b2l_name_4[_idx];
char _cond;
if(!not_refractory)
    _cond = (v > 1) && false;
else 
    _cond = (v > 1) && true;
#line 1 "rendered"
_mask[_idx - _low] = (char)(_cond);
}
};
}

}

namespace operation_2 {

static inline __attribute__((always_inline)) auto make(b2l::Context &b2l_c) {
(void)b2l_c;

double *b2l_name_0 = ((double *)b2l_c.data[3]);


const int64_t _vectorisation_idx = -1; (void)_vectorisation_idx;

#line 1 "operation_2_scalar"
const double _source_t = b2l_name_0[0];
#line 1 "rendered"
int32_t *__restrict b2l_name_5 = ((int32_t *)b2l_c.data[8]);
const int32_t *_events = ((int32_t *)b2l_c.data[7]);
int64_t _low, _high;
b2l::between(_events, _events[b2l_c.length[7] - 1], 0, 3,
             _low, _high);
if (_low == _high) return 0;
int64_t _row = ((int32_t *)b2l_c.data[9])[0];
auto *_counts = ((int32_t *)b2l_c.data[10]);
for (int64_t _event = _low; _event < _high; _event++) {
const int64_t _idx = _events[_event], _vectorisation_idx = _idx; (void)_vectorisation_idx;

#line 1 "operation_2_vector"
const int32_t _source_i = b2l_name_5[_idx];
const int32_t _to_record_i = _source_i;
const double _to_record_t = _source_t;
#line 1 "rendered"
((int32_t *)b2l_c.data[5])[_row] = _to_record_i;
((double *)b2l_c.data[6])[_row] = _to_record_t;
_counts[_idx - 0]++;
_row++;
}
b2l_c.rows[5][0] = _row;
b2l_c.rows[6][0] = _row;
((int32_t *)b2l_c.data[9])[0] = (int32_t)_row;
return 0;
}

}

namespace operation_3 {

static inline __attribute__((always_inline)) auto make(b2l::Context &b2l_c) {
(void)b2l_c;




const int64_t _vectorisation_idx = -1; (void)_vectorisation_idx;


return [=, &b2l_c](const int64_t _low, const int64_t _high,
const int32_t *_order, void *const *_copies) {
(void)b2l_c; (void)_copies;
char *__restrict b2l_name_3 = ((char *)b2l_c.data[1]);
double *__restrict b2l_name_4 = ((double *)b2l_c.data[2]);
int32_t *__restrict b2l_name_6 = ((int32_t *)b2l_c.data[11]);
if (_order == nullptr) {
for (int64_t _position = _low; _position < _high; _position++) {
const int64_t _idx = _position, _vectorisation_idx = _idx; (void)_vectorisation_idx;

#line 1 "operation_3_vector"
const int32_t _postsynaptic_idx = b2l_name_6[_idx];
const char not_refractory = b2l_name_3[_postsynaptic_idx];
double v_post = b2l_name_4[_postsynaptic_idx];
if(not_refractory)
    v_post += 0.1;
b2l_name_4[_postsynaptic_idx] = v_post;
#line 1 "rendered"
}
} else if (_copies != nullptr) {
const int32_t *__restrict b2l_name_6 = (const int32_t *)_copies[0];
for (int64_t _position = _low; _position < _high; _position++) {
const int64_t _idx = _position, _vectorisation_idx = _idx; (void)_vectorisation_idx;

#line 1 "operation_3_vector"
const int32_t _postsynaptic_idx = b2l_name_6[_idx];
const char not_refractory = b2l_name_3[_postsynaptic_idx];
double v_post = b2l_name_4[_postsynaptic_idx];
if(not_refractory)
    v_post += 0.1;
b2l_name_4[_postsynaptic_idx] = v_post;
#line 1 "rendered"
}
} else {
for (int64_t _position = _low; _position < _high; _position++) {
const int64_t _idx = _order[_position], _vectorisation_idx = _idx; (void)_vectorisation_idx;

#line 1 "operation_3_vector"
const int32_t _postsynaptic_idx = b2l_name_6[_idx];
const char not_refractory = b2l_name_3[_postsynaptic_idx];
double v_post = b2l_name_4[_postsynaptic_idx];
if(not_refractory)
    v_post += 0.1;
b2l_name_4[_postsynaptic_idx] = v_post;
#line 1 "rendered"
}
}
};
}

}

namespace operation_4 {

static inline __attribute__((always_inline)) auto make(b2l::Context &b2l_c) {
(void)b2l_c;




const int64_t _vectorisation_idx = -1; (void)_vectorisation_idx;


return [=, &b2l_c](const int32_t *_events,
const int64_t _low, const int64_t _high) {
(void)b2l_c;
double *__restrict b2l_name_4 = ((double *)b2l_c.data[2]);
for (int64_t _event = _low; _event < _high; _event++) {
const int64_t _idx = _events[_event], _vectorisation_idx = _idx; (void)_vectorisation_idx;

#line 1 "operation_4_vector"
double v;
v = 0;
b2l_name_4[_idx] = v;
#line 1 "rendered"
}
};
}

}
namespace b2l {

struct State {
    Team team;
    Queue queue[1];
    char *mask;
    int64_t mask_size;
    int64_t event_count[64][64];
};
static inline State &state(Context &b2l_c) { return *(State *)b2l_c.state; }


static void pass_0(Context &b2l_c, int thread, int threads) {
int64_t low, high;
const int64_t n = b2l_c.integers[0];
share(n, thread, threads, low, high);
if (low == high && thread > 0) {
for (int k = 0; k < 2; k++) state(b2l_c).event_count[thread][k] = 0;
return;
}
alignas(64) char mask[1024];
(void)mask;
auto kernel_0 = operation_0::make(b2l_c);
auto kernel_1 = operation_1::make(b2l_c);
int32_t *events_1 = ((int32_t *)b2l_c.data[7]) + low;
int64_t count_1 = 0;
for (int64_t b = low; b < high; b += 1024) {
const int64_t e = b + 1024 < high ? b + 1024 : high;
kernel_0(b, e, mask);
kernel_1(b, e, mask);
count_1 = collect(mask, b, e, events_1, count_1);
}
for (int64_t k = 0; k < count_1; k++) {
((char *)b2l_c.data[1])[events_1[k]] = false;
((double *)b2l_c.data[0])[events_1[k]] = ((double *)b2l_c.data[3])[0];
}
state(b2l_c).event_count[thread][1] = count_1;
}
static inline void group_0(Context &b2l_c) {
const int64_t n = b2l_c.integers[0];
(void)n;
const int threads = n >= 2048 ? state(b2l_c).team.size : 1;
if (threads == 1) pass_0(b2l_c, 0, 1);
else state(b2l_c).team.run(pass_0, b2l_c);
{
int32_t *events = ((int32_t *)b2l_c.data[7]);
int64_t total = state(b2l_c).event_count[0][1];
for (int t = 1; t < threads; t++) {
int64_t low, high;
share(n, t, threads, low, high);
const int64_t found = state(b2l_c).event_count[t][1];
memmove(events + total, events + low, found * sizeof(int32_t));
total += found;
}
events[b2l_c.length[7] - 1] = (int32_t)total;
}

}
static inline void group_1(Context &b2l_c) {
operation_2::make(b2l_c);

}

static void deliver_2(Context &b2l_c, int thread, int threads) {
Queue &q = state(b2l_c).queue[0];
auto kernel = operation_3::make(b2l_c);
const int32_t *targets = ((int32_t *)b2l_c.data[11]);
const bool one_by_one = false;
void *const *copies = q.copied ? q.copies : nullptr;
int64_t first = 0, last = 0;
if (threads > 1) share(b2l_c.length[2], thread, threads, first, last);
(void)targets;
for (int64_t r = 0; r < q.ranges_count; r++) {
int64_t low = q.ranges[r].begin, high = q.ranges[r].end;
const int32_t *order = q.order;
if (low < 0) {
low = -1 - low;
high = low + 1;
order = nullptr;
}
if (threads > 1) {
int64_t a = low, b = high;
while (a < b) {
const int64_t middle = (a + b) / 2;
if (targets[order ? order[middle] : middle] < first) a = middle + 1; else b = middle;
}
low = a;
b = high;
while (a < b) {
const int64_t middle = (a + b) / 2;
if (targets[order ? order[middle] : middle] < last) a = middle + 1; else b = middle;
}
high = a;
}
if (one_by_one) for (int64_t at = low; at < high; at++) kernel(at, at + 1, order, copies);
else kernel(low, high, order, copies);
}
}
static inline void group_2(Context &b2l_c) {
Queue &q = state(b2l_c).queue[0];
const int32_t *events = ((int32_t *)b2l_c.data[7]);
receive(q, events, events[b2l_c.length[7] - 1]);
if (q.ranges_count) {
int64_t synapses = 0;
const bool share_out = state(b2l_c).team.size > 1 && q.ascending;
if (share_out)
for (int64_t r = 0; r < q.ranges_count; r++)
synapses += q.ranges[r].begin < 0 ? 1 : q.ranges[r].end - q.ranges[r].begin;
if (share_out && synapses > 2000) state(b2l_c).team.run(deliver_2, b2l_c);
else deliver_2(b2l_c, 0, 1);
}

}

static inline void group_3(Context &b2l_c) {
const int32_t *events = ((int32_t *)b2l_c.data[7]);
const int64_t n = events[b2l_c.length[7] - 1];
if (n) operation_4::make(b2l_c)(events, 0, n);

}

extern "C" int64_t b2l_load(Context *context) {
State *s = (State *)calloc(1, sizeof(State));
context->state = s;
s->team.start((int)context->threads);
return 0;
}
extern "C" int64_t b2l_unload(Context *context) {
Context &b2l_c = *context;
if (!b2l_c.state) return 0;
state(b2l_c).team.end();
for (int k = 0; k < 1; k++) drop_queue(state(b2l_c).queue[k]);
free(b2l_c.state);
b2l_c.state = nullptr;
return 0;
}
extern "C" int64_t b2l_begin(Context *context) {
Context &b2l_c = *context;
const double started = now_seconds();
{
Queue &q = state(b2l_c).queue[0];
prepare(q, 0, 3, ((int32_t *)b2l_c.data[12]),
        ((int32_t *)b2l_c.data[11]), b2l_c.rows[12][0],
        ((double *)b2l_c.data[13]), b2l_c.rows[13][0],
        (double)((double *)b2l_c.data[4])[0]);
q.copied = q.order && q.synapses * (int64_t)(sizeof(int32_t)) <= COPY_LIMIT;
if (q.copied) {
copy_in_order(q, 0, ((int32_t *)b2l_c.data[11]));
}
}

b2l_c.report[0] = now_seconds() - started;
return 0;
}
extern "C" int64_t b2l_pending(Context *context, int64_t which) {
Queue &q = state(*context).queue[which];
int64_t count;
Pending *list = pending(q, count);
context->exported = (int64_t)list;
context->exported_size = count;
return count;
}
extern "C" int64_t b2l_forget(Context *context) {
free((void *)context->exported);
context->exported = 0;
return 0;
}
extern "C" int64_t b2l_set_pending(Context *context, int64_t which, const Pending *list,
                                   int64_t count) {
set_explicit(state(*context).queue[which], list, count);
return 0;
}

static int64_t leave(Context &b2l_c, unsigned saved, int64_t reason) {
(void)b2l_c;
restore_denormals(saved);
return reason;
}
extern "C" int64_t b2l_advance(Context *context) {
Context &b2l_c = *context;
const unsigned saved = flush_denormals();
static const int clock_t[] = {3}, clock_dt[] = {4};
(void)clock_t; (void)clock_dt;
const double until = now_seconds() + 1e-9 * b2l_c.budget;
int64_t done = 0;
for (;;) {
switch (b2l_c.operation) {
case 0:
b2l_c.clock = 0;
if (b2l_c.clock == 0 && ((int64_t *)b2l_c.data[14])[0] >= b2l_c.i_end[0]) return leave(b2l_c, saved, DONE);
if (__atomic_load_n(&b2l_c.stop, __ATOMIC_RELAXED)) return leave(b2l_c, saved, STOP);
if (done >= b2l_c.max_steps) return leave(b2l_c, saved, TIME);
if (done && now_seconds() > until) return leave(b2l_c, saved, TIME);
// fall through
case 1:
{ if (b2l_c.profile) { const double began = now_seconds(); group_0(b2l_c); b2l_c.seconds[0] += now_seconds() - began; } else group_0(b2l_c); }
case 2:
{ if (b2l_c.rows[5][0] + ((int32_t *)b2l_c.data[7])[b2l_c.length[7] - 1] > b2l_c.capacity[5] || b2l_c.rows[6][0] + ((int32_t *)b2l_c.data[7])[b2l_c.length[7] - 1] > b2l_c.capacity[6]) { b2l_c.call = 2; b2l_c.operation = 2; return leave(b2l_c, saved, FULL); }
if (b2l_c.profile) { const double began = now_seconds(); group_1(b2l_c); b2l_c.seconds[2] += now_seconds() - began; } else group_1(b2l_c); }
case 3:
{ if (b2l_c.profile) { const double began = now_seconds(); group_2(b2l_c); b2l_c.seconds[3] += now_seconds() - began; } else group_2(b2l_c); }
case 4:
{ if (b2l_c.profile) { const double began = now_seconds(); group_3(b2l_c); b2l_c.seconds[4] += now_seconds() - began; } else group_3(b2l_c); }
case 5:
{ ((int64_t *)b2l_c.data[14])[0]++; ((double *)b2l_c.data[3])[0] = ((int64_t *)b2l_c.data[14])[0] * ((double *)b2l_c.data[4])[0]; }
b2l_c.operation = 0;
b2l_c.steps++;
done++;
}
}
}

}
