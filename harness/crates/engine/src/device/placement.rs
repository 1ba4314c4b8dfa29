//! The devices of a run.

use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;

use harness_backbone::{DeviceKind, NoDevice, Precision};
use harness_report::ComputeDevice;

use serde::Serialize;

use super::choice::DeviceChoice;

/// The version of candle that the towers run on.
const CANDLE: &str = "0.11.1";

/// GPUs that the workers of a run share, and the arithmetic on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevicePlacement {
    pub kind: DeviceKind,
    /// Numbers of the devices.
    pub numbers: Vec<usize>,
    /// What the first is called.
    pub name: String,
    /// Whether this machine has it; if not, another one is trusted to.
    pub is_here: bool,
    pub precision: Precision,
}

impl fmt::Display for DevicePlacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let precision = self.precision.name();
        match self.numbers.len() {
            1 => write!(f, "towers run on {} in {precision}", self.name),
            count => write!(
                f,
                "towers run on {count} GPUs ({}) in {precision}",
                self.name
            ),
        }
    }
}

/// Kind of device and precision, which are part of the key of every result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Arithmetic {
    pub device: &'static str,
    pub precision: &'static str,
}

/// Why a device cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    #[error("device {wanted}: {reason}")]
    Missing {
        wanted: DeviceChoice,
        reason: NoDevice,
    },
    #[error("device {wanted}: the machine has {found} of them, numbered from 0")]
    Number { wanted: DeviceChoice, found: usize },
    #[error(
        "precision {}: the CPU computes in f32 alone; name a GPU with --device or leave the precision out", .0.name()
    )]
    CpuPrecision(Precision),
}

impl DevicePlacement {
    /// The devices that a choice means on this machine; none for the CPU. Where the work is done
    /// `elsewhere`, a device that was asked for by name need not be here.
    ///
    /// # Errors
    /// A device that was asked for by name is missing, or a precision was asked for on the CPU.
    pub fn resolve(
        choice: DeviceChoice,
        precision: Option<Precision>,
        elsewhere: bool,
    ) -> Result<Option<Self>, DeviceError> {
        let on_cpu = || match precision {
            None | Some(Precision::F32) => Ok(None),
            Some(precision) => Err(DeviceError::CpuPrecision(precision)),
        };
        let (kind, number) = match choice {
            DeviceChoice::Cpu => return on_cpu(),
            DeviceChoice::Auto => {
                let kinds = DeviceKind::NAMES.into_iter().map(|(_, kind)| kind);
                let mut found = kinds.filter(|kind| kind.found().is_ok());
                match found.next() {
                    Some(kind) => (kind, None),
                    None => return on_cpu(),
                }
            }
            DeviceChoice::Gpu(kind, number) => (kind, number),
        };
        let names = match kind.found() {
            Ok(names) => names,
            Err(_) if elsewhere => {
                return Ok(Some(Self {
                    kind,
                    numbers: vec![number.unwrap_or_default()],
                    name: format!("{} elsewhere", kind.name()),
                    is_here: false,
                    precision: precision.unwrap_or_default(),
                }));
            }
            Err(reason) => {
                return Err(DeviceError::Missing {
                    wanted: choice,
                    reason,
                });
            }
        };
        let numbers: Vec<usize> = match number {
            Some(number) => vec![number],
            None => (0..names.len()).collect(),
        };
        let first = numbers.first().and_then(|number| names.get(*number));
        let Some(name) = first else {
            return Err(DeviceError::Number {
                wanted: choice,
                found: names.len(),
            });
        };
        Ok(Some(Self {
            kind,
            name: name.clone(),
            is_here: true,
            numbers,
            precision: precision.unwrap_or_default(),
        }))
    }

    /// The first device.
    ///
    /// # Errors
    /// It cannot be opened.
    pub(crate) fn open(&self) -> candle_core::Result<candle_core::Device> {
        self.kind
            .open(self.numbers.first().copied().unwrap_or_default())
    }

    /// What decides the results of the towers, but for the last bits.
    pub(crate) fn arithmetic(&self) -> Arithmetic {
        Arithmetic {
            device: self.kind.name(),
            precision: self.precision.name(),
        }
    }

    /// The devices as a report names them.
    pub(crate) fn report(&self) -> ComputeDevice {
        ComputeDevice {
            kind: self.kind.name().to_owned(),
            name: self.name.clone(),
            count: u32::try_from(self.numbers.len()).unwrap_or(u32::MAX),
            precision: self.precision.name().to_owned(),
            candle: CANDLE.to_owned(),
        }
    }

    /// The devices one by one, as workers are told of them.
    pub(crate) fn devices(&self) -> Vec<WorkerDevice> {
        let device = |number: &usize| WorkerDevice {
            kind: self.kind,
            number: *number,
            precision: self.precision,
        };
        self.numbers.iter().map(device).collect()
    }
}

/// The environment variable that tells a worker its device.
const VARIABLE: &str = "HARNESS_WORKER_DEVICE";

/// The device of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerDevice {
    pub(crate) kind: DeviceKind,
    pub(crate) number: usize,
    pub(crate) precision: Precision,
}

impl WorkerDevice {
    /// What stands in the worker's environment.
    pub(crate) fn variable(self) -> (OsString, OsString) {
        let (kind, precision) = (self.kind.name(), self.precision.name());
        (
            VARIABLE.into(),
            format!("{kind} {} {precision}", self.number).into(),
        )
    }

    /// What this process was told; none on the CPU.
    ///
    /// # Errors
    /// What stands there names no device.
    pub(crate) fn of_environment() -> Result<Option<Self>, NoWorkerDevice> {
        let text = std::env::var(VARIABLE).ok();
        text.map(|text| text.parse()).transpose()
    }
}

/// A text that does not name a worker's device.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{VARIABLE}: {0:?} names no device")]
pub struct NoWorkerDevice(String);

impl FromStr for WorkerDevice {
    type Err = NoWorkerDevice;

    fn from_str(text: &str) -> Result<Self, NoWorkerDevice> {
        let refuse = || NoWorkerDevice(text.to_owned());
        let mut parts = text.split(' ');
        let (kind, number, precision) = (parts.next(), parts.next(), parts.next());
        let kind = DeviceKind::NAMES
            .into_iter()
            .find_map(|(name, found)| (Some(name) == kind).then_some(found))
            .ok_or_else(refuse)?;
        let precision = Precision::NAMES
            .into_iter()
            .find_map(|(name, found)| (Some(name) == precision).then_some(found))
            .ok_or_else(refuse)?;
        let number = number.and_then(|n| n.parse().ok()).ok_or_else(refuse)?;
        Ok(Self {
            kind,
            number,
            precision,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_reads_what_the_scheduler_writes() {
        let device = WorkerDevice {
            kind: DeviceKind::Cuda,
            number: 3,
            precision: Precision::Bf16,
        };
        let (_, text) = device.variable();
        let text = text.into_string().expect("plain text");
        assert_eq!(text.parse(), Ok(device));
        for text in ["", "cuda", "cuda 0", "cuda x f32", "tpu 0 f32", "cuda 0 f8"] {
            assert_eq!(
                text.parse::<WorkerDevice>(),
                Err(NoWorkerDevice(text.to_owned())),
                "{text:?}"
            );
        }
    }

    #[test]
    fn the_cpu_has_one_precision() {
        let resolve = |precision| DevicePlacement::resolve(DeviceChoice::Cpu, precision, false);
        assert!(matches!(resolve(None), Ok(None)));
        assert!(matches!(resolve(Some(Precision::F32)), Ok(None)));
        let error = resolve(Some(Precision::Bf16)).expect_err("the CPU has no bf16");
        assert!(error.to_string().contains("--device"), "{error}");
    }

    #[cfg(not(any(feature = "cuda", feature = "metal")))]
    #[test]
    fn a_gpu_that_the_build_does_not_know_is_refused_with_what_to_do() {
        let choice = DeviceChoice::Gpu(DeviceKind::Cuda, None);
        let error = DevicePlacement::resolve(choice, None, false).expect_err("no CUDA here");
        assert!(error.to_string().contains("--features cuda"), "{error}");
        assert!(matches!(
            DevicePlacement::resolve(DeviceChoice::Auto, None, false),
            Ok(None)
        ));
    }

    #[test]
    fn the_version_of_candle_is_the_one_that_is_built() {
        let lock = include_str!("../../../../../Cargo.lock");
        let entry = format!("name = \"candle-core\"\nversion = \"{CANDLE}\"\n");
        assert!(lock.contains(&entry), "Cargo.lock has another candle-core");
    }
}
