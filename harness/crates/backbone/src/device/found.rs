//! The devices that this build can use on this machine.

use candle_core::Device;

/// A kind of device beside the CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// An NVIDIA GPU.
    Cuda,
    /// An Apple GPU.
    Metal,
}

/// Why this build has no device of a kind on this machine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoDevice {
    /// The program was built without it.
    #[error("this build has none of {0}; build with --features {1}")]
    NotBuilt(&'static str, &'static str),
    /// The driver works and shows none.
    #[error("the driver shows no GPU")]
    NoneShown,
    /// The driver is missing or fails.
    #[error("the driver answers {0}")]
    Driver(String),
}

impl DeviceKind {
    /// All, as settings and reports name them.
    pub const NAMES: [(&str, Self); 2] = [("cuda", Self::Cuda), ("metal", Self::Metal)];

    /// The name in settings and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cuda => "cuda",
            Self::Metal => "metal",
        }
    }

    /// The names of the devices of this kind, by their number. `CUDA_VISIBLE_DEVICES` is respected.
    ///
    /// # Errors
    /// Why none can be used.
    pub fn found(self) -> Result<Vec<String>, NoDevice> {
        match self {
            Self::Cuda => cuda(),
            Self::Metal => metal(),
        }
    }

    /// Opens a device.
    ///
    /// # Errors
    /// When the build or the machine has none of this number.
    pub fn open(self, number: usize) -> candle_core::Result<Device> {
        match self {
            Self::Cuda => Device::new_cuda(number),
            Self::Metal => Device::new_metal(number),
        }
    }
}

/// Bytes of a GPU's memory that are in use, by all processes, and that it has. None where the
/// backend does not say.
#[cfg(feature = "cuda")]
pub(super) fn memory(device: &Device) -> Option<(usize, usize)> {
    let stream = device.as_cuda_device().ok()?.cuda_stream();
    let (free, all) = stream.context().mem_get_info().ok()?;
    Some((all.saturating_sub(free), all))
}

#[cfg(not(feature = "cuda"))]
pub(super) fn memory(_: &Device) -> Option<(usize, usize)> {
    None
}

#[cfg(feature = "cuda")]
fn cuda() -> Result<Vec<String>, NoDevice> {
    use candle_core::cuda_backend::cudarc::driver::result;

    let names = || {
        result::init()?;
        let count = result::device::get_count()?;
        (0..count)
            .map(|number| result::device::get_name(result::device::get(number)?))
            .collect::<Result<Vec<String>, _>>()
    };
    match names() {
        Ok(names) if names.is_empty() => Err(NoDevice::NoneShown),
        Ok(names) => Ok(names),
        Err(error) => Err(NoDevice::Driver(format!("{error:?}"))),
    }
}

#[cfg(not(feature = "cuda"))]
fn cuda() -> Result<Vec<String>, NoDevice> {
    Err(NoDevice::NotBuilt("CUDA", "cuda"))
}

#[cfg(feature = "metal")]
fn metal() -> Result<Vec<String>, NoDevice> {
    match Device::new_metal(0) {
        Ok(_) => Ok(vec!["Apple GPU".to_owned()]),
        Err(error) => Err(NoDevice::Driver(error.to_string())),
    }
}

#[cfg(not(feature = "metal"))]
fn metal() -> Result<Vec<String>, NoDevice> {
    Err(NoDevice::NotBuilt("Metal", "metal"))
}
