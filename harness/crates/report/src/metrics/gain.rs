//! How much of what a module adds is left on the target.

use crate::cell::Conditions;
use crate::stats::PairedDifference;

/// New - Z(t): does the module still earn its place? `None` where one is missing.
pub fn gain_over_zero_shot(conditions: &Conditions) -> Option<f64> {
    let new = conditions.new.as_ref()?;
    let zero = conditions.zero_target.as_ref()?;
    Some(new.accuracy - zero.accuracy)
}

/// `kept / gain`, a share of a gain that exists: `None` when the gain's paired
/// 95 % interval reaches down to 0, where a ratio would be noise.
pub fn share_of_gain(kept: f64, gain: &PairedDifference) -> Option<f64> {
    gain.is_gain().then(|| kept / gain.value)
}

/// Gain retention, (A(s→t) - Z(t)) / (A(s→s) - Z(s)): `None` where a condition is
/// missing or the gain on the source is not distinguishable from 0.
pub fn gain_retention(conditions: &Conditions) -> Option<f64> {
    let base = conditions.base.as_ref()?;
    let zero = conditions.zero_source.as_ref()?;
    let gain = PairedDifference::of(&[(base, zero)])?;
    share_of_gain(gain_over_zero_shot(conditions)?, &gain)
}

/// Recovery, (A(s→t) - Z(t)) / (A(t→t) - Z(t)): `None` where a condition is missing
/// or the gain of retraining is not distinguishable from 0.
pub fn recovery(conditions: &Conditions) -> Option<f64> {
    let oracle = conditions.oracle.as_ref()?;
    let zero = conditions.zero_target.as_ref()?;
    let gain = PairedDifference::of(&[(oracle, zero)])?;
    share_of_gain(gain_over_zero_shot(conditions)?, &gain)
}

/// Update gain, (A(s→t) - A(s→s)) / (A(t→t) - A(s→s)): how much of what retraining would
/// bring over Base comes without it (Shen et al. 2020). `None` where a condition is missing
/// or what retraining brings is not distinguishable from 0.
pub fn update_gain(conditions: &Conditions) -> Option<f64> {
    let base = conditions.base.as_ref()?;
    let new = conditions.new.as_ref()?;
    let gain = PairedDifference::of(&[(conditions.oracle.as_ref()?, base)])?;
    share_of_gain(new.accuracy - base.accuracy, &gain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::Condition;

    /// The first `correct` of 100 images correct.
    fn scored(correct: u32) -> Option<Condition> {
        let predictions: Vec<u32> = (0..100).map(|i| u32::from(i < correct)).collect();
        Condition::from_predictions(&predictions, &[1; 100], "", 0.0).ok()
    }

    fn conditions(base: u32, new: u32, oracle: u32) -> Conditions {
        Conditions {
            zero_source: scored(40),
            base: scored(base),
            zero_target: scored(50),
            new: scored(new),
            oracle: scored(oracle),
        }
    }

    #[test]
    fn shares_of_a_clear_gain() {
        let measured = conditions(60, 55, 70);
        assert!((gain_over_zero_shot(&measured).unwrap() - 0.05).abs() < 1e-12);
        assert!((gain_retention(&measured).unwrap() - 0.25).abs() < 1e-12);
        assert!((recovery(&measured).unwrap() - 0.25).abs() < 1e-12);
        // -5 points of 10 that retraining brings over Base
        assert!((update_gain(&measured).unwrap() + 0.5).abs() < 1e-12);
        assert_eq!(update_gain(&conditions(60, 55, 61)), None);
    }

    #[test]
    fn a_module_that_hurts_keeps_a_negative_share() {
        let measured = conditions(60, 45, 70);
        assert!((gain_retention(&measured).unwrap() + 0.25).abs() < 1e-12);
    }

    #[test]
    fn no_distinguishable_gain_has_no_share() {
        // 3 of 100 gained: 0.03 against a half width of 0.033.
        assert_eq!(gain_retention(&conditions(43, 55, 53)), None);
        assert_eq!(recovery(&conditions(43, 55, 53)), None);
        // A loss on the source is no gain either, however clear.
        assert_eq!(gain_retention(&conditions(20, 55, 70)), None);
    }

    #[test]
    fn missing_conditions_have_no_share() {
        let mut measured = conditions(60, 55, 70);
        measured.oracle = None;
        assert_eq!(recovery(&measured), None);
        measured.new = None;
        assert_eq!(gain_retention(&measured), None);
        assert_eq!(gain_over_zero_shot(&measured), None);
    }
}
