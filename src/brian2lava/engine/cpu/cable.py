"""The implicit step of the cable equation on a tree of sections, as C++ text.

Each section's tridiagonal system is solved for a particular solution (``v_star``) and for the
influence of the potentials at its two ends (``u_minus``, ``u_plus``); the potentials at the
branching points then solve a system that has the shape of the tree, by elimination from the
leaves to the root (Hines 1984; Mascagni 1991). Arrays are Brian2's own, so that values agree.
"""

from __future__ import annotations


def before_run(p: dict[str, str], n: dict[str, str], count: str) -> str:
    """Axial conductances and the matrices that do not change during a run."""
    return f"""{{
const int64_t compartments = {count}, sections = {n["_starts"]};
const double resistivity = {p["Ri"]}[0];
for (int64_t k = 1; k < compartments; k++)
    {p["_invr"]}[k] =
        1.0 / (resistivity * (1 / {p["r_length_2"]}[k - 1] + 1 / {p["r_length_1"]}[k]));
for (int64_t s = 0; s < sections; s++) {p["_invr"]}[{p["_starts"]}[s]] = 0;
for (int64_t k = 0; k < compartments; k++) {{
    const double left = {p["_invr"]}[k], right = k + 1 < compartments ? {p["_invr"]}[k + 1] : 0;
    {p["_ab_star1"]}[k] = -{p["Cm"]}[k] / {p["dt"]}[0] - (left + right) / {p["area"]}[k];
    if (k > 0) {p["_ab_star0"]}[k] = left / {p["area"]}[k - 1];
    if (k + 1 < compartments) {p["_ab_star2"]}[k] = right / {p["area"]}[k + 1];
}}
for (int64_t s = 0; s < sections; s++) {{
    const int64_t first = {p["_starts"]}[s], last = {p["_ends"]}[s] - 1;
    const double left = {p["r_length_1"]}[first] / resistivity;
    const double right = {p["r_length_2"]}[last] / resistivity;
    {p["_invr0"]}[s] = left;
    {p["_invrn"]}[s] = right;
    {p["_ab_star1"]}[first] -= left / {p["area"]}[first];
    {p["_ab_star1"]}[last] -= right / {p["area"]}[last];
    {p["_b_minus"]}[first] = -left / {p["area"]}[first];
    {p["_b_plus"]}[last] = -right / {p["area"]}[last];
}}
}}"""


def step(p: dict[str, str], n: dict[str, str], count: str, vector: str) -> str:
    """One step; ``vector`` computes ``_gtot`` and ``_I0`` of compartment ``_idx``."""
    return f"""const int64_t _count = {count};
for (int64_t _idx = 0; _idx < _count; _idx++) {{
    const int64_t _vectorisation_idx = _idx; (void)_vectorisation_idx;
    {vector}
    {p["_gtot_all"]}[_idx] = _gtot;
    {p["_I0_all"]}[_idx] = _I0;
    {p["_v_previous"]}[_idx] = {p["v"]}[_idx];
}}
{{  // names of the model's constants end here
const int64_t compartments = _count, sections = {n["_starts"]};
const double width = {p["dt"]}[0];
for (int64_t s = 0; s < sections; s++) {{
    const int64_t begin = {p["_starts"]}[s], end = {p["_ends"]}[s];
    for (int64_t k = begin; k < end; k++) {{  // forward: ones on the diagonal
        const double below = k > 0 ? {p["_ab_star2"]}[k - 1] : 0;
        const double before_c = k > 0 ? {p["_c"]}[k - 1] : 0;
        const double before_v = k > 0 ? {p["_v_star"]}[k - 1] : 0;
        const double before_p = k > 0 ? {p["_u_plus"]}[k - 1] : 0;
        const double before_m = k > 0 ? {p["_u_minus"]}[k - 1] : 0;
        const double scale =
            1.0 / ({p["_ab_star1"]}[k] - {p["_gtot_all"]}[k] - below * before_c);
        {p["_c"]}[k] = (k + 1 < compartments ? {p["_ab_star0"]}[k + 1] : 0) * scale;
        {p["_v_star"]}[k] = (-{p["Cm"]}[k] / width * {p["v"]}[k] - {p["_I0_all"]}[k]
                             - below * before_v) * scale;
        {p["_u_plus"]}[k] = ({p["_b_plus"]}[k] - below * before_p) * scale;
        {p["_u_minus"]}[k] = ({p["_b_minus"]}[k] - below * before_m) * scale;
    }}
    for (int64_t k = end - 2; k >= begin; k--) {{
        {p["_v_star"]}[k] -= {p["_c"]}[k] * {p["_v_star"]}[k + 1];
        {p["_u_plus"]}[k] -= {p["_c"]}[k] * {p["_u_plus"]}[k + 1];
        {p["_u_minus"]}[k] -= {p["_c"]}[k] * {p["_u_minus"]}[k + 1];
    }}
}}
const int64_t nodes = {n["_B"]};
const int64_t most_children = {n["_morph_children"]} / {n["_morph_children_num"]};
for (int64_t s = 0; s < sections; s++) {{  // currents into the two ends of each section
    const int64_t first = {p["_starts"]}[s], last = {p["_ends"]}[s] - 1;
    const int64_t parent = {p["_morph_parent_i"]}[s];
    const int64_t entry = parent * most_children + {p["_morph_idxchild"]}[s];
    if (s == 0) {{  // the root is sealed
        {p["_P_diag"]}[0] = {p["_u_minus"]}[first] - 1;
        {p["_P_children"]}[0] = {p["_u_plus"]}[first];
        {p["_B"]}[0] = -{p["_v_star"]}[first];
    }} else {{
        {p["_P_diag"]}[parent] += (1 - {p["_u_minus"]}[first]) * {p["_invr0"]}[s];
        {p["_P_children"]}[entry] = -{p["_u_plus"]}[first] * {p["_invr0"]}[s];
        {p["_B"]}[parent] += {p["_v_star"]}[first] * {p["_invr0"]}[s];
    }}
    {p["_P_diag"]}[s + 1] = (1 - {p["_u_plus"]}[last]) * {p["_invrn"]}[s];
    {p["_P_parent"]}[s] = -{p["_u_minus"]}[last] * {p["_invrn"]}[s];
    {p["_B"]}[s + 1] = {p["_v_star"]}[last] * {p["_invrn"]}[s];
}}
for (int64_t node = nodes - 1; node >= 0; node--)
    for (int64_t which = 0; which < {p["_morph_children_num"]}[node]; which++) {{
        const int64_t child = {p["_morph_children"]}[node * most_children + which];
        const double factor =
            {p["_P_children"]}[node * most_children + which] / {p["_P_diag"]}[child];
        {p["_P_diag"]}[node] -= factor * {p["_P_parent"]}[child - 1];
        {p["_B"]}[node] -= factor * {p["_B"]}[child];
    }}
{p["_B"]}[0] /= {p["_P_diag"]}[0];
for (int64_t node = 1; node < nodes; node++)
    {p["_B"]}[node] = ({p["_B"]}[node] - {p["_P_parent"]}[node - 1]
                       * {p["_B"]}[{p["_morph_parent_i"]}[node - 1]]) / {p["_P_diag"]}[node];
for (int64_t s = 0; s < sections; s++)
    for (int64_t k = {p["_starts"]}[s]; k < {p["_ends"]}[s]; k++)
        {p["v"]}[k] = {p["_v_star"]}[k] + {p["_B"]}[{p["_morph_parent_i"]}[s]] * {p["_u_minus"]}[k]
                      + {p["_B"]}[s + 1] * {p["_u_plus"]}[k];
for (int64_t k = 0; k < compartments; k++)
    {p["Ic"]}[k] = {p["Cm"]}[k] * ({p["v"]}[k] - {p["_v_previous"]}[k]) / width;
}}"""
