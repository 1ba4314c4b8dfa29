//! The statistics agree with SciPy and statsmodels: `fixtures/golden/statistics`.

use serde::Deserialize;

use crate::stats::*;

#[derive(Deserialize)]
struct Golden {
    tango: Vec<Tango>,
    tango_score: Vec<Score>,
    holm: Vec<Family>,
    kendall: Vec<Ranks>,
    student: Student,
    bootstrap: Bootstrap,
    detectable: Vec<Detectable>,
    wilson: Vec<Wilson>,
}

#[derive(Deserialize)]
struct Tango {
    images: u64,
    gained: u64,
    lost: u64,
    level: f64,
    interval: [f64; 2],
}

#[derive(Deserialize)]
struct Score {
    images: u64,
    gained: u64,
    lost: u64,
    difference: f64,
    score: f64,
}

#[derive(Deserialize)]
struct Family {
    p: Vec<f64>,
    adjusted: Vec<f64>,
}

#[derive(Deserialize)]
struct Ranks {
    a: Vec<f64>,
    b: Vec<f64>,
    tau: f64,
}

#[derive(Deserialize)]
struct Student {
    values: Vec<f64>,
    interval: [f64; 2],
}

#[derive(Deserialize)]
struct Bootstrap {
    values: Vec<f64>,
    /// Over all 5⁵ resamples.
    mean_interval: [f64; 2],
    scipy: [f64; 2],
}

#[derive(Deserialize)]
struct Detectable {
    images: f64,
    discordance: f64,
    alpha: f64,
    power: f64,
    difference: f64,
}

#[derive(Deserialize)]
struct Wilson {
    successes: u64,
    trials: u64,
    interval: [f64; 2],
}

fn golden() -> Golden {
    let text = include_str!("../../../../fixtures/golden/statistics/values.json");
    serde_json::from_str(text).unwrap()
}

fn close(found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance * expected.abs().max(1e-3),
        "{found}, expected {expected}"
    );
}

fn agrees(found: Interval, [low, high]: [f64; 2], tolerance: f64) {
    close(found.low, low, tolerance);
    close(found.high, high, tolerance);
}

#[test]
fn tango() {
    for case in golden().tango {
        let Tango {
            images,
            gained,
            lost,
            level,
            interval,
        } = case;
        let pairs = Pairs {
            images,
            gained,
            lost,
        };
        agrees(tango_interval(&[pairs], level).unwrap(), interval, 1e-7);
    }
    for case in golden().tango_score {
        let Score {
            images,
            gained,
            lost,
            difference,
            score,
        } = case;
        close(
            tango_score(
                &Pairs {
                    images,
                    gained,
                    lost,
                },
                difference,
            ),
            score,
            1e-6,
        );
    }
    // Fagerland, Lydersen and Laake 2014 print this table with -0.517 to -0.026.
    let published = Pairs {
        images: 21,
        gained: 1,
        lost: 7,
    };
    let interval = tango_interval(&[published], 0.95).unwrap();
    assert_eq!((interval.low * 1e3).round(), -517.0);
    assert_eq!((interval.high * 1e3).round(), -26.0);
}

#[test]
fn holm_adjusts() {
    for Family { p, adjusted } in golden().holm {
        for (found, expected) in holm(&p).into_iter().zip(adjusted) {
            close(found, expected, 1e-12);
        }
    }
}

#[test]
fn kendall() {
    for Ranks { a, b, tau } in golden().kendall {
        let pairs: Vec<(f64, f64)> = a.into_iter().zip(b).collect();
        close(kendall_tau(&pairs).unwrap(), tau, 1e-12);
    }
}

#[test]
fn student_over_seeds() {
    let Student {
        values,
        interval: [low, high],
    } = golden().student;
    let found = Estimate::of(&values).unwrap();
    close(found.mean - found.half_width.unwrap(), low, 1e-12);
    close(found.mean + found.half_width.unwrap(), high, 1e-12);
}

#[test]
fn bootstrap_over_seeds() {
    let Bootstrap {
        values,
        mean_interval,
        scipy,
    } = golden().bootstrap;
    let found = bootstrap_interval(&values, 0.95, mean).unwrap();
    // Two thousand draws of the 3125 that are possible.
    agrees(found, mean_interval, 0.01);
    agrees(found, scipy, 0.01);
}

#[test]
fn detectable() {
    for case in golden().detectable {
        let Detectable {
            images,
            discordance,
            alpha,
            power,
            difference,
        } = case;
        let found = detectable_difference(images, discordance, alpha, power).unwrap();
        // As far as statsmodels' solver goes.
        close(found, difference, 3e-5);
    }
}

#[test]
fn wilson() {
    for Wilson {
        successes,
        trials,
        interval,
    } in golden().wilson
    {
        agrees(
            wilson_interval(successes, trials, 0.95).unwrap(),
            interval,
            1e-9,
        );
    }
}
