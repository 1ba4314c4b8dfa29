//! What the kinds of change and the conditions are called.

use harness_report::samples::Kind;

/// Names of the five conditions, in the order of predictions.
pub(super) const CONDITIONS: [&str; 5] = [
    "zero-shot, source",
    "Base (source)",
    "zero-shot, target",
    "New (target)",
    "retrained",
];

/// An id for links, a heading, and what it means.
pub(super) fn of(kind: Kind) -> [&'static str; 3] {
    match kind {
        Kind::ByModule => [
            "by-module",
            "Negative flips caused by the module",
            "Right in Base, wrong in New, and the target's zero-shot is right: dropping the module \
             fixes them.",
        ],
        Kind::ByRetraining => [
            "by-retraining",
            "Negative flips fixed by retraining",
            "Right in Base, wrong in New and in the target's zero-shot; a module trained on the \
             target is right.",
        ],
        Kind::ByBackbone => [
            "by-backbone",
            "Negative flips caused by the backbone",
            "Right in Base; on the target nothing that was measured is right.",
        ],
        Kind::Unattributed => [
            "not-attributed",
            "Negative flips, not attributed",
            "Right in Base, wrong in New and in the target's zero-shot; nothing was trained on the \
             target.",
        ],
        Kind::Fixed => [
            "fixed",
            "What the module fixed",
            "Wrong in the target's zero-shot, right in New.",
        ],
        Kind::Won => [
            "won",
            "Positive flips that the upgrade alone brings",
            "Wrong in Base, right in New and in the target's zero-shot.",
        ],
    }
}
