//! A cluster on paper: what becomes of a plan whose tasks are killed at random.

use std::collections::VecDeque;

use super::cut::cut;
use super::request::TIME_FACTOR;

/// A linear congruential generator (Knuth's MMIX constants): the same run each time.
struct Random(u64);

impl Random {
    /// In [0, 1).
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// What a simulated run took.
#[derive(Debug)]
struct Simulated {
    /// Units that were stored at the end.
    complete: usize,
    /// Seconds that were computed and lost, as a part of all that were computed.
    wasted: f64,
    /// Time after 95 % of the work was done, as a part of the whole.
    tail: f64,
}

/// Units of a task run one after the other; an attempt at one is killed with probability
/// `failing` somewhere in the middle, and `delay` seconds later its task resumes with that
/// unit on the next free node: a requeued job keeps its place before those submitted later.
fn simulate(units: &[f64], tasks: usize, nodes: usize, failing: f64, delay: f64) -> Simulated {
    let mut random = Random(1);
    let mut waiting: VecDeque<Vec<f64>> = cut(units, tasks)
        .into_iter()
        .map(|bin| bin.into_iter().rev().map(|unit| units[unit]).collect())
        .collect();
    let mut requeued: Vec<(f64, Vec<f64>)> = Vec::new();
    let mut free = vec![0.0_f64; nodes];
    let mut done: Vec<(f64, f64)> = Vec::new();
    let mut lost = 0.0;
    loop {
        free.sort_by(f64::total_cmp);
        requeued.sort_by(|a, b| a.0.total_cmp(&b.0));
        let is_due = requeued.first().is_some_and(|(ready, _)| *ready <= free[0]);
        let (mut now, mut left) = match (is_due, waiting.pop_front()) {
            (false, Some(task)) => (free[0], task),
            (is_due, next) => {
                if let (true, Some(task)) = (is_due, next) {
                    waiting.push_front(task);
                }
                if requeued.is_empty() {
                    break;
                }
                let (ready, task) = requeued.remove(0);
                (free[0].max(ready), task)
            }
        };
        while let Some(seconds) = left.pop() {
            if random.next() < failing {
                let part = seconds * random.next();
                lost += part;
                now += part;
                left.push(seconds);
                requeued.push((now + delay, left));
                break;
            }
            now += seconds;
            done.push((now, seconds));
        }
        free[0] = now;
    }
    done.sort_by(|a, b| a.0.total_cmp(&b.0));
    let work: f64 = units.iter().sum();
    let end = done.last().map_or(0.0, |(end, _)| *end);
    let mut sum = 0.0;
    let most = done.iter().find(|(_, seconds)| {
        sum += seconds;
        sum >= 0.95 * work
    });
    Simulated {
        complete: done.len(),
        wasted: lost / (work + lost),
        tail: (end - most.map_or(0.0, |(at, _)| *at)) / end,
    }
}

/// As in the published suites: trainings from a minute to half an hour.
fn units(count: usize) -> Vec<f64> {
    let mut random = Random(7);
    (0..count)
        .map(|_| 60.0 * 30.0_f64.powf(random.next()))
        .collect()
}

/// With four or more tasks for each node, the last tasks are short against the whole.
#[test]
fn failures_cost_little_and_leave_no_long_tail() {
    for nodes in [25, 50, 100, 125] {
        let found = simulate(&units(10_000), 500, nodes, 0.02, 120.0);
        assert_eq!(found.complete, 10_000, "{nodes} nodes");
        assert!(found.wasted < 0.05, "{nodes} nodes: {found:?}");
        assert!(found.tail < 0.10, "{nodes} nodes: {found:?}");
    }
}

/// Where each task has a node, one that is killed late ends alone: the tail is longer.
#[test]
fn a_node_for_each_task_wastes_no_more() {
    for nodes in [250, 500] {
        let found = simulate(&units(10_000), 500, nodes, 0.02, 120.0);
        assert_eq!(found.complete, 10_000, "{nodes} nodes");
        assert!(found.wasted < 0.05, "{nodes} nodes: {found:?}");
        assert!(found.tail < 0.20, "{nodes} nodes: {found:?}");
    }
}

/// A task whose units fail as often as that seldom outlasts the time that it asks for.
#[test]
fn the_time_that_is_asked_for_is_enough() {
    let units = units(10_000);
    let bins = cut(&units, 500);
    let load = |bin: &Vec<usize>| bin.iter().map(|unit| units[*unit]).sum::<f64>();
    let longest = bins.iter().map(load).fold(0.0, f64::max);
    let mean = units.iter().sum::<f64>() / 500.0;
    assert!(longest < 1.05 * mean, "{longest} {mean}");
    assert!(TIME_FACTOR * mean > 1.5 * longest);
}
