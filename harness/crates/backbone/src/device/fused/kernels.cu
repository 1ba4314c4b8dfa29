// The towers' operations as single kernels: each reads its inputs once. Values are f32 or bf16,
// arithmetic inside is f32. Every sum has a fixed order, so that results are the same at every run.

#include <cuda_bf16.h>

template <typename T> __device__ float load(T value) { return (float)value; }
template <typename T> __device__ T store(float value) { return (T)value; }

// Sum over a block of 256 threads, the same in all of them.
__device__ float block_sum(float value) {
    __shared__ float parts[8];
    for (int step = 16; step > 0; step /= 2)
        value += __shfl_xor_sync(0xffffffff, value, step);
    __syncthreads();
    if (threadIdx.x % 32 == 0)
        parts[threadIdx.x / 32] = value;
    __syncthreads();
    float total = 0;
    for (int i = 0; i < 8; i++)
        total += parts[i];
    return total;
}

__device__ float block_max(float value) {
    __shared__ float parts[8];
    for (int step = 16; step > 0; step /= 2)
        value = fmaxf(value, __shfl_xor_sync(0xffffffff, value, step));
    __syncthreads();
    if (threadIdx.x % 32 == 0)
        parts[threadIdx.x / 32] = value;
    __syncthreads();
    float most = parts[0];
    for (int i = 1; i < 8; i++)
        most = fmaxf(most, parts[i]);
    return most;
}

// Mean and reciprocal deviation of a row.
template <typename T> __device__ float2 moments(const T *x, int width, float eps) {
    float sum = 0;
    for (int i = threadIdx.x; i < width; i += blockDim.x)
        sum += load(x[i]);
    float mean = block_sum(sum) / width;
    float squares = 0;
    for (int i = threadIdx.x; i < width; i += blockDim.x) {
        float centred = load(x[i]) - mean;
        squares += centred * centred;
    }
    return make_float2(mean, rsqrtf(block_sum(squares) / width + eps));
}

// A block a row.
template <typename T>
__device__ void norm(const T *x, const T *gain, const T *bias, T *y, int width, float eps) {
    x += (size_t)blockIdx.x * width;
    y += (size_t)blockIdx.x * width;
    float2 m = moments(x, width, eps);
    for (int i = threadIdx.x; i < width; i += blockDim.x)
        y[i] = store<T>((load(x[i]) - m.x) * m.y * load(gain[i]) + load(bias[i]));
}

// dx = rest + scale (h - mean(h) - n mean(h n)) with h = dy gain.
template <typename T>
__device__ void norm_pull(const T *x, const T *gain, const T *dy, const T *rest, T *dx, int width,
                          float eps) {
    size_t row = (size_t)blockIdx.x * width;
    x += row;
    dy += row;
    rest += row;
    dx += row;
    float2 m = moments(x, width, eps);
    float sum = 0, along = 0;
    for (int i = threadIdx.x; i < width; i += blockDim.x) {
        float h = load(dy[i]) * load(gain[i]);
        sum += h;
        along += h * (load(x[i]) - m.x) * m.y;
    }
    sum = block_sum(sum) / width;
    along = block_sum(along) / width;
    for (int i = threadIdx.x; i < width; i += blockDim.x) {
        float h = load(dy[i]) * load(gain[i]);
        float n = (load(x[i]) - m.x) * m.y;
        dx[i] = store<T>(load(rest[i]) + m.y * (h - sum - n * along));
    }
}

// Rows of length `columns`, row r of a sequence of `length` sees before + r + 1 columns if causal.
template <typename T>
__device__ void softmax(const T *scores, T *weights, int columns, int length, int before, int causal) {
    int row = blockIdx.x % length;
    int seen = causal ? before + row + 1 : columns;
    scores += (size_t)blockIdx.x * columns;
    weights += (size_t)blockIdx.x * columns;
    float most = -INFINITY;
    for (int i = threadIdx.x; i < seen; i += blockDim.x)
        most = fmaxf(most, load(scores[i]));
    most = block_max(most);
    float sum = 0;
    for (int i = threadIdx.x; i < seen; i += blockDim.x)
        sum += expf(load(scores[i]) - most);
    float scale = 1 / block_sum(sum);
    for (int i = threadIdx.x; i < columns; i += blockDim.x)
        weights[i] = store<T>(i < seen ? expf(load(scores[i]) - most) * scale : 0.0f);
}

// p (d - sum(p d))
template <typename T>
__device__ void softmax_pull(const T *weights, const T *d, T *scores, int columns) {
    size_t row = (size_t)blockIdx.x * columns;
    weights += row;
    d += row;
    scores += row;
    float sum = 0;
    for (int i = threadIdx.x; i < columns; i += blockDim.x)
        sum += load(weights[i]) * load(d[i]);
    sum = block_sum(sum);
    for (int i = threadIdx.x; i < columns; i += blockDim.x)
        scores[i] = store<T>(load(weights[i]) * (load(d[i]) - sum));
}

__device__ size_t place() { return (size_t)blockIdx.x * blockDim.x + threadIdx.x; }

template <typename T> __device__ void add_bias(const T *x, const T *bias, T *y, int count, int width) {
    size_t i = place();
    if (i < count)
        y[i] = store<T>(load(x[i]) + load(bias[i % width]));
}

template <typename T>
__device__ void add_bias_and_rest(const T *x, const T *bias, const T *rest, T *y, int count, int width) {
    size_t i = place();
    if (i < count)
        y[i] = store<T>(load(rest[i]) + (load(x[i]) + load(bias[i % width])));
}

// kind 0: x sigmoid(1.702 x); 1: x times the normal distribution function.
template <typename T> __device__ void activate(const T *x, T *y, int count, int kind) {
    size_t i = place();
    if (i >= count)
        return;
    float v = load(x[i]);
    y[i] = store<T>(kind == 0 ? v / (1 + expf(-1.702f * v)) : v * normcdff(v));
}

template <typename T> __device__ void activate_pull(const T *x, const T *dy, T *dx, int count, int kind) {
    size_t i = place();
    if (i >= count)
        return;
    float v = load(x[i]), slope;
    if (kind == 0) {
        float s = 1 / (1 + expf(-1.702f * v));
        slope = s + 1.702f * v * s * (1 - s);
    } else {
        slope = normcdff(v) + v * 0.3989422804f * expf(-0.5f * v * v);
    }
    dx[i] = store<T>(load(dy[i]) * slope);
}

template <typename T> __device__ void gated(const T *gate, const T *up, T *y, int count) {
    size_t i = place();
    if (i < count) {
        float g = load(gate[i]);
        y[i] = store<T>(g / (1 + expf(-g)) * load(up[i]));
    }
}

template <typename T>
__device__ void gated_pull(const T *gate, const T *up, const T *dy, T *d_gate, T *d_up, int count) {
    size_t i = place();
    if (i < count) {
        float g = load(gate[i]), d = load(dy[i]), s = 1 / (1 + expf(-g));
        d_gate[i] = store<T>(d * load(up[i]) * s * (1 + g * (1 - s)));
        d_up[i] = store<T>(d * g * s);
    }
}

// Rows of packed queries, keys and values: first `prefix` rows of each family, then `length` rows of
// each of its `prompts`.
struct Rows {
    int families, prompts, prefix, length, heads, head_dim;

    __device__ size_t row(int family, int prompt, int position) const {
        if (position < prefix)
            return (size_t)family * prefix + position;
        return (size_t)families * prefix + ((size_t)family * prompts + prompt) * length + position - prefix;
    }
};

#define ROWS int families, int prompts, int prefix, int length, int heads, int head_dim
#define THE_ROWS                                                                                         \
    Rows { families, prompts, prefix, length, heads, head_dim }

// Queries [F H C, S, d], scaled, keys and values [F H C, P + S, d].
template <typename T>
__device__ void split(const T *packed, T *query, T *key, T *value, Rows rows, float scale) {
    int whole = rows.prefix + rows.length, width = rows.heads * rows.head_dim;
    size_t i = place();
    if (i >= (size_t)rows.families * rows.heads * rows.prompts * whole * rows.head_dim)
        return;
    int d = i % rows.head_dim;
    size_t rest = i / rows.head_dim;
    int position = rest % whole;
    size_t sequence = rest / whole;
    int prompt = sequence % rows.prompts;
    int head = sequence / rows.prompts % rows.heads;
    int family = sequence / rows.prompts / rows.heads;
    const T *from = packed + rows.row(family, prompt, position) * 3 * width + head * rows.head_dim + d;
    key[i] = from[width];
    value[i] = from[2 * width];
    if (position >= rows.prefix) {
        size_t to = (sequence * rows.length + position - rows.prefix) * rows.head_dim + d;
        query[to] = store<T>(load(from[0]) * scale);
    }
}

// Heads [F H C, S, d] and those of the prefixes [F H, P, d] to rows [R, D].
template <typename T> __device__ void join(const T *own, const T *first, T *y, Rows rows, int count) {
    size_t i = place();
    if (i >= count)
        return;
    int width = rows.heads * rows.head_dim;
    int d = i % rows.head_dim, head = i % width / rows.head_dim;
    size_t row = i / width, shared = (size_t)rows.families * rows.prefix;
    if (row < shared) {
        size_t family = row / rows.prefix, position = row % rows.prefix;
        y[i] = first[((family * rows.heads + head) * rows.prefix + position) * rows.head_dim + d];
        return;
    }
    row -= shared;
    size_t position = row % rows.length, prompt = row / rows.length % rows.prompts;
    size_t family = row / rows.length / rows.prompts;
    size_t sequence = (family * rows.heads + head) * rows.prompts + prompt;
    y[i] = own[(sequence * rows.length + position) * rows.head_dim + d];
}

// The other way round.
template <typename T> __device__ void part(const T *y, T *own, T *first, Rows rows, int count) {
    size_t i = place();
    if (i >= count)
        return;
    int width = rows.heads * rows.head_dim;
    int d = i % rows.head_dim, head = i % width / rows.head_dim;
    size_t row = i / width, shared = (size_t)rows.families * rows.prefix;
    if (row < shared) {
        size_t family = row / rows.prefix, position = row % rows.prefix;
        first[((family * rows.heads + head) * rows.prefix + position) * rows.head_dim + d] = y[i];
        return;
    }
    row -= shared;
    size_t position = row % rows.length, prompt = row / rows.length % rows.prompts;
    size_t family = row / rows.length / rows.prompts;
    size_t sequence = (family * rows.heads + head) * rows.prompts + prompt;
    own[(sequence * rows.length + position) * rows.head_dim + d] = y[i];
}

// Gradients of queries [F H C, S, d], keys and values [F H C, P + S, d], and those of the prefixes'
// own attention [F H, P, d], to the gradient of the packed rows. A prefix collects what all prompts
// of its family give back.
template <typename T>
__device__ void merge(const T *query, const T *key, const T *value, const T *first_query,
                      const T *first_key, const T *first_value, T *packed, Rows rows, int count,
                      float scale) {
    size_t i = place();
    if (i >= count)
        return;
    int width = rows.heads * rows.head_dim, whole = rows.prefix + rows.length;
    int column = i % (3 * width), which = column / width;
    int d = column % rows.head_dim, head = column % width / rows.head_dim;
    size_t row = i / (3 * width), shared = (size_t)rows.families * rows.prefix;
    const T *of_whole = which == 1 ? key : value;
    if (row < shared) {
        size_t family = row / rows.prefix, position = row % rows.prefix;
        size_t sequence = family * rows.heads + head;
        size_t at = (sequence * rows.prefix + position) * rows.head_dim + d;
        if (which == 0) {
            packed[i] = store<T>(load(first_query[at]) * scale);
            return;
        }
        float sum = load((which == 1 ? first_key : first_value)[at]);
        for (int prompt = 0; prompt < rows.prompts; prompt++) {
            size_t from = (sequence * rows.prompts + prompt) * whole + position;
            sum += load(of_whole[from * rows.head_dim + d]);
        }
        packed[i] = store<T>(sum);
        return;
    }
    row -= shared;
    size_t position = row % rows.length, prompt = row / rows.length % rows.prompts;
    size_t family = row / rows.length / rows.prompts;
    size_t sequence = (family * rows.heads + head) * rows.prompts + prompt;
    if (which == 0) {
        packed[i] = store<T>(load(query[(sequence * rows.length + position) * rows.head_dim + d]) * scale);
        return;
    }
    packed[i] = of_whole[(sequence * whole + rows.prefix + position) * rows.head_dim + d];
}

#define KERNELS(T, TYPE)                                                                                 \
    extern "C" __global__ void norm_##T(const TYPE *x, const TYPE *gain, const TYPE *bias, TYPE *y,      \
                                        int width, float eps) {                                          \
        norm(x, gain, bias, y, width, eps);                                                              \
    }                                                                                                    \
    extern "C" __global__ void norm_pull_##T(const TYPE *x, const TYPE *gain, const TYPE *dy,            \
                                             const TYPE *rest, TYPE *dx, int width, float eps) {         \
        norm_pull(x, gain, dy, rest, dx, width, eps);                                                    \
    }                                                                                                    \
    extern "C" __global__ void softmax_##T(const TYPE *scores, TYPE *weights, int columns, int length,   \
                                           int before, int causal) {                                     \
        softmax(scores, weights, columns, length, before, causal);                                       \
    }                                                                                                    \
    extern "C" __global__ void softmax_pull_##T(const TYPE *weights, const TYPE *d, TYPE *scores,        \
                                                int columns) {                                           \
        softmax_pull(weights, d, scores, columns);                                                       \
    }                                                                                                    \
    extern "C" __global__ void add_bias_##T(const TYPE *x, const TYPE *bias, TYPE *y, int count,         \
                                            int width) {                                                 \
        add_bias(x, bias, y, count, width);                                                              \
    }                                                                                                    \
    extern "C" __global__ void add_bias_and_rest_##T(const TYPE *x, const TYPE *bias, const TYPE *rest,  \
                                                     TYPE *y, int count, int width) {                    \
        add_bias_and_rest(x, bias, rest, y, count, width);                                               \
    }                                                                                                    \
    extern "C" __global__ void activate_##T(const TYPE *x, TYPE *y, int count, int kind) {               \
        activate(x, y, count, kind);                                                                     \
    }                                                                                                    \
    extern "C" __global__ void activate_pull_##T(const TYPE *x, const TYPE *dy, TYPE *dx, int count,     \
                                                 int kind) {                                             \
        activate_pull(x, dy, dx, count, kind);                                                           \
    }                                                                                                    \
    extern "C" __global__ void gated_##T(const TYPE *gate, const TYPE *up, TYPE *y, int count) {         \
        gated(gate, up, y, count);                                                                       \
    }                                                                                                    \
    extern "C" __global__ void gated_pull_##T(const TYPE *gate, const TYPE *up, const TYPE *dy,          \
                                              TYPE *d_gate, TYPE *d_up, int count) {                     \
        gated_pull(gate, up, dy, d_gate, d_up, count);                                                   \
    }                                                                                                    \
    extern "C" __global__ void split_##T(const TYPE *packed, TYPE *query, TYPE *key, TYPE *value, ROWS,  \
                                         float scale) {                                                  \
        split(packed, query, key, value, THE_ROWS, scale);                                               \
    }                                                                                                    \
    extern "C" __global__ void join_##T(const TYPE *own, const TYPE *first, TYPE *y, ROWS, int count) {  \
        join(own, first, y, THE_ROWS, count);                                                            \
    }                                                                                                    \
    extern "C" __global__ void part_##T(const TYPE *y, TYPE *own, TYPE *first, ROWS, int count) {        \
        part(y, own, first, THE_ROWS, count);                                                            \
    }                                                                                                    \
    extern "C" __global__ void merge_##T(const TYPE *query, const TYPE *key, const TYPE *value,          \
                                         const TYPE *first_query, const TYPE *first_key,                 \
                                         const TYPE *first_value, TYPE *packed, ROWS, int count,         \
                                         float scale) {                                                  \
        merge(query, key, value, first_query, first_key, first_value, packed, THE_ROWS, count, scale);   \
    }

KERNELS(f32, float)
KERNELS(bf16, __nv_bfloat16)
