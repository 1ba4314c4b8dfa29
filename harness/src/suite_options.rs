//! The options of a suite as a shell takes them, for a command that is printed or written.

use std::fmt::Write;
use std::path::Path;

use harness_engine::device::DeviceChoice;
use harness_report::shell::quote;

use crate::cli::SuiteArguments;

/// The suite and what decides which results are computed and where they are kept, without the
/// selection of cells. A `device` takes the place of the one that was asked for.
pub(crate) fn suite_options(
    arguments: &SuiteArguments,
    suite: &Path,
    device: Option<DeviceChoice>,
) -> String {
    let SuiteArguments {
        device: asked,
        precision,
        jobs_per_gpu,
        worker_memory,
        store,
        data,
        no_plugins_from_suite,
        locked,
        python,
        plugin,
        method,
        ..
    } = arguments;
    let mut text = quote(&suite.to_string_lossy());
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = write!(text, " {name} {}", quote(&value));
        }
    };
    let path = |path: &Path| path.to_string_lossy().into_owned();
    option("--store", store.as_deref().map(path));
    option("--data", data.as_deref().map(path));
    option("--python", python.as_deref().map(path));
    for plugin in plugin {
        option("--plugin", Some(path(plugin)));
    }
    for name in method {
        option("--method", Some(name.clone()));
    }
    option(
        "--device",
        device.or(*asked).map(|device| device.to_string()),
    );
    option(
        "--precision",
        precision.map(|precision| precision.name().to_owned()),
    );
    option("--jobs-per-gpu", jobs_per_gpu.map(|jobs| jobs.to_string()));
    option("--worker-memory", worker_memory.map(|mib| mib.to_string()));
    if *no_plugins_from_suite {
        text.push_str(" --no-plugins-from-suite");
    }
    if *locked {
        text.push_str(" --locked");
    }
    text
}
