// Counts over the synapses that exist, without temporaries of their number where that is possible.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern "C" {

// counts[index[k]] += 1 for first <= k < last
int64_t b2l_count(const int32_t *index, int64_t first, int64_t last, int32_t *counts) {
    for (int64_t k = first; k < last; k++) counts[index[k]]++;
    return 0;
}

// number[k] = how many synapses before k have the same pre and post; 1 if memory is short.
int64_t b2l_number(const int32_t *pre, const int32_t *post, int64_t n, int64_t pre_size,
                   int64_t post_size, int32_t *number) {
    int64_t *begin = (int64_t *)calloc(pre_size + 2, sizeof(int64_t));
    int32_t *seen = (int32_t *)calloc(post_size + 1, sizeof(int32_t));
    int32_t *order = nullptr;
    bool sorted = true;
    for (int64_t k = 1; k < n && sorted; k++) sorted = pre[k - 1] <= pre[k];
    if (!sorted) order = (int32_t *)malloc((n + 1) * sizeof(int32_t));
    if (!begin || !seen || (!sorted && !order)) {
        free(begin); free(seen); free(order);
        return 1;
    }
    for (int64_t k = 0; k < n; k++) begin[pre[k] + 2]++;
    for (int64_t s = 2; s < pre_size + 2; s++) begin[s] += begin[s - 1];
    // afterwards begin[s + 1] is the end of row s
    for (int64_t k = 0; k < n; k++) {
        const int64_t at = begin[pre[k] + 1]++;
        if (order) order[at] = (int32_t)k;
    }
    for (int64_t s = 0; s < pre_size; s++) {
        for (int64_t at = begin[s]; at < begin[s + 1]; at++) {
            const int64_t k = order ? order[at] : at;
            number[k] = seen[post[k]]++;
        }
        for (int64_t at = begin[s]; at < begin[s + 1]; at++) seen[post[order ? order[at] : at]] = 0;
    }
    free(begin); free(seen); free(order);
    return 0;
}
}
