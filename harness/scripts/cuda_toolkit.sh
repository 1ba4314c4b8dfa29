#!/usr/bin/env bash
# A CUDA 13.0 toolkit in a folder of its own, from NVIDIA's Python wheels, for machines that have none:
# enough to build `harness` with `--features cuda`, no driver and no GPU needed.
#
#   harness/scripts/cuda_toolkit.sh FOLDER     fetch and lay out
#   source FOLDER/env                          let cargo find it
#   cargo build --release --features cuda
#
# The version is 13.0 so that a driver of CUDA 13.0 accepts the PTX. CUDA_COMPUTE_CAP (default 80,
# Ampere; 90 for an H100) names the oldest GPU that the build runs on.
set -euo pipefail

folder=${1:?expected the folder for the toolkit}
mkdir -p "$folder/wheels"
folder=$(cd "$folder" && pwd)
python3 -m pip download --quiet --no-deps --dest "$folder/wheels" \
    nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-crt==13.0.88 \
    nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85 nvidia-cuda-nvrtc==13.0.88 \
    nvidia-cublas==13.0.2.14 nvidia-curand==10.4.0.35
for wheel in "$folder"/wheels/*.whl; do
    python3 -m zipfile -e "$wheel" "$folder"
done
root=$folder/nvidia/cu13
chmod +x "$root"/bin/* "$root"/nvvm/bin/*

# The linker looks for names without a version.
for library in "$root"/lib/*.so.*; do
    ln -sf "$(basename "$library")" "${library%%.so.*}.so"
done

# The driver's library comes with the driver. What is linked against needs its names alone.
if [ ! -e "$root/lib/stubs/libcuda.so" ]; then
    mkdir -p "$root/lib/stubs"
    grep -oE '\bcu[A-Z][A-Za-z0-9_]*[[:space:]]*\(' "$root/include/cuda.h" | tr -d '( \t' | sort -u |
        awk '{ print "void " $1 "(void) {}" } /_v[0-9]+$/ { next }' >"$folder/driver.c"
    grep -oE '\bcu[A-Z][A-Za-z0-9]*_v[0-9]+\b' "$root/include/cuda.h" | sort -u |
        awk '{ print "void " $1 "(void) {}" }' >>"$folder/driver.c"
    sort -u -o "$folder/driver.c" "$folder/driver.c"
    gcc -shared -w -o "$root/lib/stubs/libcuda.so" -Wl,-soname,libcuda.so.1 "$folder/driver.c"
fi

cat >"$folder/env" <<END
export CUDA_HOME=$root CUDA_PATH=$root NVCC=$root/bin/nvcc
export PATH=$root/bin:\$PATH
export CUDA_COMPUTE_CAP=\${CUDA_COMPUTE_CAP:-80}
export LIBRARY_PATH=$root/lib:$root/lib/stubs\${LIBRARY_PATH:+:\$LIBRARY_PATH}
END
echo "toolkit in $root; source $folder/env before cargo build --features cuda" >&2
