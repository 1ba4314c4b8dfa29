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
    /// Why none can be used, in words.
    pub fn found(self) -> Result<Vec<String>, String> {
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

#[cfg(feature = "cuda")]
fn cuda() -> Result<Vec<String>, String> {
    use candle_core::cuda_backend::cudarc::driver::result;

    let names = || {
        result::init()?;
        let count = result::device::get_count()?;
        (0..count)
            .map(|number| result::device::get_name(result::device::get(number)?))
            .collect::<Result<Vec<String>, _>>()
    };
    match names() {
        Ok(names) if names.is_empty() => Err("the driver shows no GPU".to_owned()),
        Ok(names) => Ok(names),
        Err(error) => Err(format!("the CUDA driver answers {error:?}")),
    }
}

#[cfg(not(feature = "cuda"))]
fn cuda() -> Result<Vec<String>, String> {
    Err("this build has none of CUDA; build with --features cuda".to_owned())
}

#[cfg(feature = "metal")]
fn metal() -> Result<Vec<String>, String> {
    match Device::new_metal(0) {
        Ok(_) => Ok(vec!["Apple GPU".to_owned()]),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(not(feature = "metal"))]
fn metal() -> Result<Vec<String>, String> {
    Err("this build has none of Metal; build with --features metal".to_owned())
}
