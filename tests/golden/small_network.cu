

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
return [=, &b2l_c](const int64_t _idx) {
(void)b2l_c;
double *__restrict b2l_name_2 = ((double *)b2l_c.data[0]);
char *__restrict b2l_name_3 = ((char *)b2l_c.data[1]);
double *__restrict b2l_name_4 = ((double *)b2l_c.data[2]);

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

};
}

}

namespace operation_1 {

static inline __attribute__((always_inline)) auto make(b2l::Context &b2l_c) {
(void)b2l_c;




const int64_t _vectorisation_idx = -1; (void)_vectorisation_idx;


return [=, &b2l_c](const int64_t _idx) {
(void)b2l_c;
double *__restrict b2l_name_2 = ((double *)b2l_c.data[0]);
char *__restrict b2l_name_3 = ((char *)b2l_c.data[1]);
double *__restrict b2l_name_4 = ((double *)b2l_c.data[2]);

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
if (!(_cond)) return false;
b2l_name_3[_idx] = false;
b2l_name_2[_idx] = ((double *)b2l_c.data[3])[0];
return true;
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
return [=, &b2l_c](const int64_t _idx, const int64_t _row) {
(void)b2l_c;
int32_t *__restrict b2l_name_5 = ((int32_t *)b2l_c.data[7]);
int32_t *__restrict b2l_name_6 = ((int32_t *)b2l_c.data[8]);

const int64_t _vectorisation_idx = _idx; (void)_vectorisation_idx;

#line 1 "operation_2_vector"
const int32_t _source_i = b2l_name_5[_idx];
const int32_t _to_record_i = _source_i;
const double _to_record_t = _source_t;
#line 1 "rendered"
((int32_t *)b2l_c.data[5])[_row] = _to_record_i;
((double *)b2l_c.data[6])[_row] = _to_record_t;
b2l::add(&b2l_name_6[_idx - 0], 1);
};
}

}

namespace operation_3 {

static inline __attribute__((always_inline)) auto make(b2l::Context &b2l_c) {
(void)b2l_c;




const int64_t _vectorisation_idx = -1; (void)_vectorisation_idx;


return [=, &b2l_c](const int64_t _idx) {
(void)b2l_c;
char *__restrict b2l_name_3 = ((char *)b2l_c.data[1]);
double *__restrict b2l_name_4 = ((double *)b2l_c.data[2]);
int32_t *__restrict b2l_name_7 = ((int32_t *)b2l_c.data[9]);

const int64_t _vectorisation_idx = _idx; (void)_vectorisation_idx;

#line 1 "operation_3_vector"
const int32_t _postsynaptic_idx = b2l_name_7[_idx];
const char not_refractory = b2l_name_3[_postsynaptic_idx];
if(not_refractory)
    b2l::add(&b2l_name_4[_postsynaptic_idx], (double)((0.1)));
#line 1 "rendered"

};
}

}

namespace operation_4 {

static inline __attribute__((always_inline)) auto make(b2l::Context &b2l_c) {
(void)b2l_c;




const int64_t _vectorisation_idx = -1; (void)_vectorisation_idx;


return [=, &b2l_c](const int64_t _idx) {
(void)b2l_c;
double *__restrict b2l_name_4 = ((double *)b2l_c.data[2]);

const int64_t _vectorisation_idx = _idx; (void)_vectorisation_idx;

#line 1 "operation_4_vector"
double v;
v = 0;
b2l_name_4[_idx] = v;
#line 1 "rendered"

};
}

}
namespace b2l {
static inline void choose(Context &b2l_c, State &s) {
static const int clock_t[] = {3}, clock_dt[] = {4};
(void)clock_t; (void)clock_dt;
s.clock = 0;
if (s.clock == 0 && ((int64_t *)b2l_c.data[10])[0] >= b2l_c.i_end[0]) return rest(s, DONE);
if (b2l_c.stop) return rest(s, STOP);
if (s.steps >= b2l_c.limit) return rest(s, TIME);
s.status = RUNNING;
s.turn = 0;
}
static inline void next_step(Context &b2l_c, State &s) {
{ ((int64_t *)b2l_c.data[10])[0]++; ((double *)b2l_c.data[3])[0] = ((int64_t *)b2l_c.data[10])[0] * ((double *)b2l_c.data[4])[0]; }
s.steps++;
s.level = 0;
choose(b2l_c, s);
}
}
B2L_KERNEL(b2l_level_0) {
b2l::Context &b2l_c = b2l_constants;
b2l::State &s = *b2l_state;
B2L_WHERE
if (s.turn != 0) return;
int64_t full = 0;

if (full == 0) {
if (b2l_block >= b2l_c.grid[1] && b2l_block < b2l_c.grid[2]
    && true) {
const int64_t blocks = b2l_c.grid[2] - b2l_c.grid[1]; (void)blocks;
const int64_t block = b2l_block - b2l_c.grid[1], all = blocks * B2L_THREADS; (void)all;
#define mine (block * B2L_THREADS + b2l_thread)
B2L_SHARED uint32_t marked[1][B2L_THREADS / 32];
B2L_PHASE { if (b2l_thread < B2L_THREADS / 32) marked[0][b2l_thread] = 0; }
B2L_SYNC
B2L_PHASE {
const int64_t element = block * B2L_THREADS + b2l_thread;
if (element < b2l_c.integers[0]) {
operation_0::make(b2l_c)(element);
if (operation_1::make(b2l_c)(element)) b2l::mark(marked[0], b2l_thread);
}
}
B2L_SYNC
B2L_PHASE {
const int64_t element = block * B2L_THREADS + b2l_thread;
if (b2l::marked(marked[0], b2l_thread)) b2l_c.found[0][block * B2L_THREADS + b2l::before(marked[0], b2l_thread)] = (int32_t)element;
if (b2l_thread == 0) b2l_c.counts[0][block] = b2l::before(marked[0], B2L_THREADS - 1) + b2l::marked(marked[0], B2L_THREADS - 1);
}
#undef mine
}
}
B2L_SHARED bool is_last;
B2L_PHASE { b2l::fence(); }
B2L_SYNC
B2L_PHASE { if (b2l_thread == 0) is_last = b2l::arrive(&s.arrived) == b2l_blocks - 1; }
B2L_SYNC
if (!is_last) return;
if (full == 0) {
if (true) { const int64_t blocks = b2l_c.grid[2] - b2l_c.grid[1]; (void)blocks;
b2l::join_events(b2l_c.found[0], b2l_c.counts[0], blocks, ((int32_t *)b2l_c.data[11]), b2l_c.length[11]); }
}
B2L_PHASE { if (b2l_thread == 0) {
s.arrived = 0;
if (full != 0) {
s.call = full > 0 ? full - 1 : full;
s.halfway = 1;
b2l::rest(s, b2l::FULL);
} else {

s.turn = s.level = 1;
}
} }
}
B2L_LAUNCHER(b2l_level_0)
B2L_KERNEL(b2l_level_1) {
b2l::Context &b2l_c = b2l_constants;
b2l::State &s = *b2l_state;
B2L_WHERE
if (s.turn != 1) return;
int64_t full = 0;
if (full == 0 && true && (b2l_c.rows[5][0] + ((int32_t *)b2l_c.data[11])[b2l_c.length[11] - 1] > b2l_c.capacity[5] || b2l_c.rows[6][0] + ((int32_t *)b2l_c.data[11])[b2l_c.length[11] - 1] > b2l_c.capacity[6])) full = 3;
if (full == 0 && true && (([&] { b2l::Queue &q = b2l_c.queues[0];
const b2l::Spikes spikes = b2l::spikes_of(((int32_t *)b2l_c.data[11]), b2l_c.length[11], 0, 3);
return b2l::is_full(q, spikes); })())) full = -1;
if (full == 0) {
if (b2l_block >= b2l_c.grid[3] && b2l_block < b2l_c.grid[4]
    && true) {
const int64_t blocks = b2l_c.grid[4] - b2l_c.grid[3]; (void)blocks;
const int64_t block = b2l_block - b2l_c.grid[3], all = blocks * B2L_THREADS; (void)all;
#define mine (block * B2L_THREADS + b2l_thread)
B2L_PHASE {
const b2l::Spikes spikes = b2l::spikes_of(((int32_t *)b2l_c.data[11]), b2l_c.length[11], 0, 3);
const int64_t count = spikes.end - spikes.begin, row = ((int32_t *)b2l_c.data[12])[0];
if (mine < count) {
auto kernel = operation_2::make(b2l_c);
for (int64_t e = mine; e < count; e += all) kernel(spikes.events[spikes.begin + e], row + e);
}
}
#undef mine
}
if (b2l_block >= b2l_c.grid[4] && b2l_block < b2l_c.grid[5]
    && true) {
const int64_t blocks = b2l_c.grid[5] - b2l_c.grid[4]; (void)blocks;
const int64_t block = b2l_block - b2l_c.grid[4], all = blocks * B2L_THREADS; (void)all;
#define mine (block * B2L_THREADS + b2l_thread)
B2L_PHASE {
b2l::Queue &q = b2l_c.queues[0];
const b2l::Spikes spikes = b2l::spikes_of(((int32_t *)b2l_c.data[11]), b2l_c.length[11], 0, 3);
auto kernel = operation_3::make(b2l_c);
b2l::deliver_at_once(q, spikes, mine, all, kernel);
b2l::store(q, spikes, mine, all);
b2l::keep_flights(q, spikes, mine, all);
}
#undef mine
}
}
B2L_SHARED bool is_last;
B2L_PHASE { b2l::fence(); }
B2L_SYNC
B2L_PHASE { if (b2l_thread == 0) is_last = b2l::arrive(&s.arrived) == b2l_blocks - 1; }
B2L_SYNC
if (!is_last) return;
if (full == 0) {

}
B2L_PHASE { if (b2l_thread == 0) {
s.arrived = 0;
if (full != 0) {
s.call = full > 0 ? full - 1 : full;
s.halfway = 1;
b2l::rest(s, b2l::FULL);
} else {
if (true) { { const b2l::Spikes spikes = b2l::spikes_of(((int32_t *)b2l_c.data[11]), b2l_c.length[11], 0, 3);
const int64_t rows = ((int32_t *)b2l_c.data[12])[0] + (spikes.end - spikes.begin);
b2l_c.rows[5][0] = rows;
b2l_c.rows[6][0] = rows;
((int32_t *)b2l_c.data[12])[0] = (int32_t)rows; }
 }
if (true) { { b2l::Queue &q = b2l_c.queues[0];
const b2l::Spikes spikes = b2l::spikes_of(((int32_t *)b2l_c.data[11]), b2l_c.length[11], 0, 3);
b2l::received(q, spikes); }
 }
s.turn = s.level = 2;
}
} }
}
B2L_LAUNCHER(b2l_level_1)
B2L_KERNEL(b2l_level_2) {
b2l::Context &b2l_c = b2l_constants;
b2l::State &s = *b2l_state;
B2L_WHERE
if (s.turn != 2) return;
int64_t full = 0;

if (full == 0) {
if (b2l_block >= b2l_c.grid[6] && b2l_block < b2l_c.grid[7]
    && true) {
const int64_t blocks = b2l_c.grid[7] - b2l_c.grid[6]; (void)blocks;
const int64_t block = b2l_block - b2l_c.grid[6], all = blocks * B2L_THREADS; (void)all;
#define mine (block * B2L_THREADS + b2l_thread)
B2L_PHASE {
const int32_t *events = ((int32_t *)b2l_c.data[11]);
const int64_t n = events[b2l_c.length[11] - 1];
if (n > mine) {
auto kernel = operation_4::make(b2l_c);
for (int64_t e = mine; e < n; e += all) kernel(events[e]);
}
}
#undef mine
}
}
B2L_SHARED bool is_last;
B2L_PHASE { b2l::fence(); }
B2L_SYNC
B2L_PHASE { if (b2l_thread == 0) is_last = b2l::arrive(&s.arrived) == b2l_blocks - 1; }
B2L_SYNC
if (!is_last) return;
if (full == 0) {

}
B2L_PHASE { if (b2l_thread == 0) {
s.arrived = 0;
if (full != 0) {
s.call = full > 0 ? full - 1 : full;
s.halfway = 1;
b2l::rest(s, b2l::FULL);
} else {

b2l::next_step(b2l_c, s);
}
} }
}
B2L_LAUNCHER(b2l_level_2)
B2L_KERNEL(b2l_start) {
b2l::Context &b2l_c = b2l_constants;
b2l::State &s = *b2l_state;
B2L_WHERE
B2L_PHASE { if (b2l_thread == 0) {
if (s.halfway) {
s.status = b2l::RUNNING;
s.turn = s.level;
} else b2l::choose(b2l_c, s);
s.halfway = 0;
} }
}
B2L_LAUNCHER(b2l_start)
B2L_KERNEL(b2l_before_run) {
b2l::Context &b2l_c = b2l_constants;
(void)b2l_c;
(void)b2l_state;
B2L_WHERE
B2L_PHASE { if (b2l_thread == 0) {

} }
}
B2L_LAUNCHER(b2l_before_run)
