//! What the process exit status means. The values are part of the public contract.
//!
//! Never on purpose: 1 (what a panic at a plugin boundary or an unforeseen error
//! ends with), 101 (Rust's own panic) and 124, 137, 143 (time limits and signals
//! from outside).

/// Every exit status that the harness ends with on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum ExitCode {
    /// Everything asked for was done.
    Ok = 0,
    /// The command line could not be understood.
    Usage = 2,
    /// A value of `--only` selects no cell.
    NothingSelected = 4,
    /// Cells are outstanding; running the same command again resumes.
    Outstanding = 5,
    /// A suite, plugin, backbone or data set is wrong or missing; nothing ran.
    SetUp = 96,
    /// The run was fine and found a regression.
    Regression = 100,
    /// With `--strict`: neither a regression nor its absence is shown.
    Inconclusive = 102,
    /// At least one cell failed, crashed or ran out of time; of a plan: a plugin could not say
    /// whether it fits.
    CrashedCell = 103,
    /// The baseline is missing, or its inputs differ.
    Incomparable = 104,
    /// The output of a backbone differs from the reference.
    Disagreement = 105,
    /// A recommendation is one that `--fail-on` names.
    Recommended = 106,
    /// A plugin does not pass a check.
    PluginCheck = 107,
    /// A result could not be written.
    OutputNotWritten = 110,
}

impl ExitCode {
    /// Every code, by number.
    pub const ALL: [Self; 13] = [
        Self::Ok,
        Self::Usage,
        Self::NothingSelected,
        Self::Outstanding,
        Self::SetUp,
        Self::Regression,
        Self::Inconclusive,
        Self::CrashedCell,
        Self::Incomparable,
        Self::Disagreement,
        Self::Recommended,
        Self::PluginCheck,
        Self::OutputNotWritten,
    ];

    /// What a user reads of it.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "done",
            Self::Usage => "invalid command line",
            Self::NothingSelected => "nothing selected",
            Self::Outstanding => "interrupted; run again to continue",
            Self::SetUp => "suite, plugin, backbone, data set or report missing or invalid",
            Self::Regression => "regression: a module lost more than the gate allows",
            Self::Inconclusive => "with --strict: inconclusive",
            Self::CrashedCell => {
                "a cell failed, crashed or timed out; with `plan`: a cell is broken"
            }
            Self::Incomparable => "baseline missing or not comparable",
            Self::Disagreement => "a backbone's output differs from the reference",
            Self::Recommended => "with --fail-on: a recommendation that it names",
            Self::PluginCheck => "a plugin does not pass a check",
            Self::OutputNotWritten => "a result could not be written",
        }
    }

    /// The process exit status.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Of two outcomes of one run, the one the process ends with:
    /// 110 over 107 over 105 over 100 over 106 over 103 over 102 over 5, and 0 under all.
    ///
    /// The codes of runs that never began (2, 4, 96, 104) stand alone and
    /// win over whatever they are combined with.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        if other.rank() > self.rank() {
            other
        } else {
            self
        }
    }

    fn rank(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Outstanding => 1,
            Self::Inconclusive => 2,
            Self::CrashedCell => 3,
            Self::Recommended => 4,
            Self::Regression => 5,
            Self::Disagreement => 6,
            Self::PluginCheck => 7,
            Self::OutputNotWritten => 8,
            Self::Usage | Self::NothingSelected | Self::SetUp | Self::Incomparable => 9,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.code())
    }
}

#[cfg(test)]
mod tests {
    use super::ExitCode::*;

    #[test]
    fn precedence_does_not_depend_on_order() {
        let rising = [
            Ok,
            Outstanding,
            Inconclusive,
            CrashedCell,
            Recommended,
            Regression,
            Disagreement,
            PluginCheck,
            OutputNotWritten,
        ];
        for (i, low) in rising.iter().enumerate() {
            for high in &rising[i..] {
                assert_eq!(low.worst(*high), *high);
                assert_eq!(high.worst(*low), *high);
            }
        }
    }

    #[test]
    fn the_numbers_are_the_documented_ones() {
        assert_eq!(
            super::ExitCode::ALL.map(super::ExitCode::code),
            [0, 2, 4, 5, 96, 100, 102, 103, 104, 105, 106, 107, 110]
        );
    }
}
