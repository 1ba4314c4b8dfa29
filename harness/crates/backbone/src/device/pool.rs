//! The driver's memory pool.

use candle_core::Device;
use candle_core::cuda_backend::cudarc::driver::sys;

/// Lets the driver keep freed memory: it otherwise gives it back at every synchronisation, and the
/// next step waits until it is mapped again. Where the driver refuses, nothing changes but speed.
pub(super) fn keep_memory(device: &Device) {
    let Ok(cuda) = device.as_cuda_device() else {
        return;
    };
    let context = cuda.cuda_stream().context().clone();
    if context.bind_to_thread().is_err() {
        return;
    }
    let mut pool = std::ptr::null_mut();
    let mut all = u64::MAX;
    // SAFETY: the device is that of a live context, the pool is the driver's own and outlives the
    // call, and the attribute's value is a u64.
    #[expect(unsafe_code, reason = "cudarc has no safe way to set it")]
    unsafe {
        if sys::cuDeviceGetDefaultMemPool(&raw mut pool, context.cu_device())
            == sys::CUresult::CUDA_SUCCESS
        {
            let attribute = sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
            let _ = sys::cuMemPoolSetAttribute(pool, attribute, (&raw mut all).cast());
        }
    }
}
