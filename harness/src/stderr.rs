//! Lines on stderr.

/// Prints a line on stderr, as `eprintln!` does, and goes on where nobody can read it: a closed
/// pipe or terminal must not end a run.
macro_rules! say {
    ($($argument:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($argument)*);
    }};
}
