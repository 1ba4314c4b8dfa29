//! Assigns tasks to workers and collects their results.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::excerpt::excerpt;
use super::worker::{Message, Worker, WorkerCommand};
use super::{Observer, PoolTask, Progress, Running, TaskIndex, TaskResult};
use crate::device::WorkerDevice;
use crate::job::{Job, Line, Outcome};
use crate::worker::WorkerMemory;
use harness_store::StoreError;

/// How often deadlines, interrupts and progress are checked.
const TICK: Duration = Duration::from_millis(100);
/// Tasks that progress names before they start.
const NEXT: usize = 12;
/// How long a worker that closed its stdout may take to exit.
const EXIT_GRACE: Duration = Duration::from_millis(500);

/// Why the pool could not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    #[error("cannot start a worker ({}): {source}", .program.display())]
    Spawn {
        program: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot write a job as JSON: {0}")]
    Job(#[from] serde_json::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{task}: {message}")]
    Unwritten { task: String, message: String },
}

/// Called with every task that ended; the result it returns is kept.
pub type Done<'d> = dyn FnMut(TaskIndex, TaskResult) -> Result<TaskResult, StoreError> + 'd;

/// The pool's settings.
#[derive(Clone, Debug)]
pub struct Pool<'a> {
    pub command: WorkerCommand,
    /// Workers at once, at least 1.
    pub jobs: usize,
    /// Devices of the workers, which share them evenly; none for the CPU.
    pub devices: Vec<WorkerDevice>,
    /// Time one task may take.
    pub time_limit: Duration,
    /// Root of the store, passed on to the workers.
    pub store: PathBuf,
    /// Set from outside when the run is to stop.
    pub cancel: &'a AtomicBool,
}

impl Pool<'_> {
    /// Does every task, passes each result through `done` at once, and returns the
    /// results in the order of the tasks. No process is left when it returns.
    ///
    /// # Errors
    /// No worker can be started, or `done` failed.
    pub fn run(
        &self,
        tasks: &[PoolTask],
        observer: &mut dyn Observer,
        done: &mut Done<'_>,
    ) -> Result<Vec<TaskResult>, PoolError> {
        let (sender, messages) = channel();
        let mut run = Run {
            pool: self,
            tasks,
            observer,
            done,
            results: vec![None; tasks.len()],
            started: vec![false; tasks.len()],
            is_second: vec![false; tasks.len()],
            is_halved: vec![false; tasks.len()],
            workers: BTreeMap::new(),
            next_worker: 0,
            sender,
            begun: Instant::now(),
        };
        run.go(&messages)?;
        let results = run.results.drain(..);
        Ok(results
            .map(|result| result.unwrap_or(TaskResult::NotRun))
            .collect())
    }
}

struct Busy {
    task: TaskIndex,
    since: Instant,
    /// Part of the task that is done, in [0, 1].
    share: f64,
}

struct Member {
    worker: Worker,
    /// Which of the pool's devices it has.
    device: Option<usize>,
    /// Whether it has done a job before, which may have left something behind.
    has_worked: bool,
    /// When it was found to have ended.
    ended: Option<Instant>,
    busy: Option<Busy>,
}

struct Run<'r> {
    pool: &'r Pool<'r>,
    tasks: &'r [PoolTask],
    observer: &'r mut dyn Observer,
    done: &'r mut Done<'r>,
    results: Vec<Option<TaskResult>>,
    started: Vec<bool>,
    /// Whether a task is tried again, in a worker of its own: the system killed the first, or an
    /// earlier job may have damaged it.
    is_second: Vec<bool>,
    /// Whether the worker of the second try may take half of the memory alone.
    is_halved: Vec<bool>,
    workers: BTreeMap<u64, Member>,
    next_worker: u64,
    sender: Sender<(u64, Message)>,
    begun: Instant,
}

impl Run<'_> {
    fn go(&mut self, messages: &Receiver<(u64, Message)>) -> Result<(), PoolError> {
        loop {
            if self.pool.cancel.load(Ordering::Relaxed) {
                // Dropping a worker ends its process group.
                self.workers.clear();
                return Ok(());
            }
            self.block()?;
            self.assign()?;
            if self.workers.values().all(|member| member.busy.is_none()) {
                for (_, member) in std::mem::take(&mut self.workers) {
                    member.worker.retire();
                }
                return Ok(());
            }
            match messages.recv_timeout(TICK) {
                Ok((id, message)) => self.on_message(id, message)?,
                // The pool holds a sender, so the channel cannot be closed.
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            self.deadlines()?;
            self.bury()?;
            let progress = self.progress();
            self.observer.tick(&progress);
        }
    }

    /// Settles tasks whose needs did not finish.
    fn block(&mut self) -> Result<(), PoolError> {
        // Needs come before what needs them, so one pass is enough.
        for index in 0..self.tasks.len() {
            if self.results[index].is_some() || self.started[index] {
                continue;
            }
            let by = self.tasks[index].needs.iter().copied().find(|need| {
                matches!(&self.results[need.0], Some(result) if !matches!(result, TaskResult::Finished { .. }))
            });
            if let Some(by) = by {
                self.settle(TaskIndex(index), TaskResult::Blocked { by })?;
            }
        }
        Ok(())
    }

    fn assign(&mut self) -> Result<(), PoolError> {
        let mut ready: Vec<TaskIndex> = (0..self.tasks.len())
            .map(TaskIndex)
            .filter(|index| self.is_ready(*index))
            .collect();
        // First what an idle worker has already loaded, then whatever comes first.
        let idle: Vec<u64> = self.idle().collect();
        for id in idle {
            let worker = &self.workers[&id].worker;
            let fits = |index: usize, same_backbone: bool| {
                let task = &self.tasks[index];
                !self.is_second[index]
                    && task.plugin() == worker.plugin.as_ref()
                    && (!same_backbone || task.backbone() == worker.backbone.as_ref())
            };
            let found = [true, false].into_iter().find_map(|same_backbone| {
                ready.iter().position(|index| fits(index.0, same_backbone))
            });
            if let Some(position) = found {
                self.dispatch(id, ready.remove(position))?;
            }
        }
        for task in ready {
            let Some(id) = self.worker_for(task)? else {
                return Ok(());
            };
            self.dispatch(id, task)?;
        }
        Ok(())
    }

    fn is_ready(&self, TaskIndex(index): TaskIndex) -> bool {
        let is_finished =
            |need: &TaskIndex| matches!(self.results[need.0], Some(TaskResult::Finished { .. }));
        !self.started[index]
            && self.results[index].is_none()
            && self.tasks[index].needs.iter().all(is_finished)
    }

    fn idle(&self) -> impl Iterator<Item = u64> {
        self.workers
            .iter()
            .filter(|(_, member)| member.busy.is_none())
            .map(|(id, _)| *id)
    }

    /// A worker that may do the task: an idle one without another plugin, or a new
    /// one, if need be in place of an idle one.
    fn worker_for(&mut self, task: TaskIndex) -> Result<Option<u64>, PoolError> {
        let wanted = self.tasks[task.0].plugin();
        let usable = self.idle().find(|id| {
            let loaded = self.workers[id].worker.plugin.as_ref();
            !self.is_second[task.0] && (wanted.is_none() || loaded.is_none() || loaded == wanted)
        });
        if usable.is_some() {
            return Ok(usable);
        }
        if self.workers.len() >= self.pool.jobs.max(1) {
            let Some(id) = self.idle().next() else {
                return Ok(None);
            };
            if let Some(member) = self.workers.remove(&id) {
                member.worker.retire();
            }
        }
        let id = self.next_worker;
        self.next_worker += 1;
        let device = self.freest_device();
        let halved = self.is_halved[task.0].then(|| WorkerMemory::halved(&self.pool.command.envs));
        let own = device.map(|number| self.pool.devices[number].variable());
        let own = own.into_iter().chain(halved).collect();
        let worker =
            Worker::spawn(&self.pool.command, own, id, self.sender.clone()).map_err(|source| {
                PoolError::Spawn {
                    program: self.pool.command.program.clone(),
                    source,
                }
            })?;
        let member = Member {
            worker,
            device,
            has_worked: false,
            ended: None,
            busy: None,
        };
        self.workers.insert(id, member);
        Ok(Some(id))
    }

    /// The device with the fewest workers.
    fn freest_device(&self) -> Option<usize> {
        let workers = |device: &usize| {
            let members = self.workers.values();
            members.filter(|m| m.device == Some(*device)).count()
        };
        (0..self.pool.devices.len()).min_by_key(workers)
    }

    fn dispatch(&mut self, id: u64, index: TaskIndex) -> Result<(), PoolError> {
        let task = &self.tasks[index.0];
        let Some(member) = self.workers.get_mut(&id) else {
            return Ok(());
        };
        member.worker.send(&Job {
            id: index.0 as u64,
            store: self.pool.store.clone(),
            work: task.work.clone(),
        })?;
        if let Some(plugin) = task.plugin() {
            member.worker.plugin = Some(plugin.clone());
        }
        if let Some(backbone) = task.backbone() {
            member.worker.backbone = Some(backbone.clone());
        }
        member.busy = Some(Busy {
            task: index,
            since: Instant::now(),
            share: 0.0,
        });
        self.started[index.0] = true;
        Ok(())
    }

    fn on_message(&mut self, id: u64, message: Message) -> Result<(), PoolError> {
        // Messages of a worker that was given up no longer count.
        let Some(member) = self.workers.get_mut(&id) else {
            return Ok(());
        };
        let task = member.busy.as_ref().map(|busy| busy.task);
        let expected = |id: u64| task.is_some_and(|task| task.0 as u64 == id);
        match message {
            Message::Line(Line::Warning { message }) => {
                self.observer.warn(&excerpt(message));
                Ok(())
            }
            Message::Line(Line::Progress { id, done, total }) if expected(id) => {
                if let Some(busy) = &mut member.busy {
                    busy.share = (done as f64 / total.max(1) as f64).min(1.0);
                }
                Ok(())
            }
            Message::Line(Line::Reply { id: job, outcome }) if expected(job) => {
                member.busy = None;
                member.has_worked = true;
                if let (Some(task), true, Outcome::Done { .. }) =
                    (task, self.observer.wants_logs(), &outcome)
                {
                    let log = member.worker.log();
                    if !log.is_empty() {
                        self.observer.log(&self.tasks[task.0], &log);
                    }
                }
                let result = match outcome {
                    Outcome::Unwritten { message } => {
                        let task = task.map(|TaskIndex(index)| self.tasks[index].name.clone());
                        return Err(PoolError::Unwritten {
                            task: task.unwrap_or_default(),
                            message: excerpt(message),
                        });
                    }
                    Outcome::DeviceMemory { message } => {
                        return task
                            .map_or(Ok(()), |task| self.out_of_device_memory(id, task, message));
                    }
                    Outcome::Done { output, usage } => TaskResult::Finished {
                        output: output.into(),
                        usage,
                    },
                    Outcome::NotInjectable { reason } => TaskResult::NotInjectable {
                        reason: excerpt(reason),
                    },
                    Outcome::Crashed { message } => TaskResult::Crashed {
                        message: excerpt(message),
                        log: member.worker.log(),
                    },
                    Outcome::Failed { message } => TaskResult::Failed {
                        message: excerpt(message),
                        log: member.worker.log(),
                    },
                };
                task.map_or(Ok(()), |task| self.settle(task, result))
            }
            Message::Line(_) => self.fail_worker(id, Some("sent an unexpected reply".to_owned())),
            Message::Malformed(text) => {
                self.fail_worker(id, Some(format!("wrote {text:?} instead of a reply")))
            }
            Message::Closed => self.fail_worker(id, None),
        }
    }

    /// Tries a task once more, in a worker that keeps half as much on the device.
    fn out_of_device_memory(
        &mut self,
        id: u64,
        task: TaskIndex,
        message: String,
    ) -> Result<(), PoolError> {
        let Some(member) = self.workers.remove(&id) else {
            return Ok(());
        };
        let TaskIndex(index) = task;
        let log = member.worker.log();
        // What it holds on the device is needed.
        member.worker.retire();
        if !std::mem::replace(&mut self.is_halved[index], true) {
            self.observer.warn(&format!(
                "{}: out of device memory; trying once more with half of it",
                self.tasks[index].name
            ));
            self.is_second[index] = true;
            self.started[index] = false;
            return Ok(());
        }
        let message = format!(
            "out of device memory, also with half of what --memory allows: try a smaller --memory, \
             fewer --jobs-per-gpu or a smaller batch: {message}"
        );
        let message = excerpt(message);
        self.settle(task, TaskResult::Failed { message, log })
    }

    /// Ends a worker; the task it was doing has crashed.
    fn fail_worker(&mut self, id: u64, why: Option<String>) -> Result<(), PoolError> {
        let Some(mut member) = self.workers.remove(&id) else {
            return Ok(());
        };
        let patience = if why.is_none() {
            EXIT_GRACE
        } else {
            Duration::ZERO
        };
        let end = member.worker.end(patience);
        let Some(busy) = member.busy else {
            return Ok(());
        };
        let TaskIndex(index) = busy.task;
        let was_killed = why.is_none() && end.was_killed;
        let is_doubtful = was_killed || member.has_worked;
        if is_doubtful && !std::mem::replace(&mut self.is_second[index], true) {
            let what = why.as_deref().unwrap_or(&end.text);
            self.observer.warn(&format!(
                "{}: the worker {what}; trying once more in another",
                self.tasks[index].name
            ));
            self.started[index] = false;
            return Ok(());
        }
        let log = member.worker.log();
        let message = match (why, out_of_memory(&log)) {
            (Some(why), _) => format!("the worker {why}"),
            (None, Some(line)) => format!("the worker ran out of memory: {line}"),
            (None, None) => format!("the worker {} before it replied", end.text),
        };
        self.settle(busy.task, TaskResult::Crashed { message, log })
    }

    /// Gives up workers that have ended without closing their stdout, once what they wrote before
    /// had time to arrive.
    fn bury(&mut self) -> Result<(), PoolError> {
        for member in self.workers.values_mut() {
            if member.ended.is_none() && member.worker.has_ended() {
                member.ended = Some(Instant::now());
            }
        }
        let is_gone = |member: &Member| {
            member
                .ended
                .is_some_and(|since| since.elapsed() > EXIT_GRACE)
        };
        let gone: Vec<u64> = self
            .workers
            .iter()
            .filter(|(_, member)| is_gone(member))
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            self.fail_worker(id, None)?;
        }
        Ok(())
    }

    fn deadlines(&mut self) -> Result<(), PoolError> {
        let limit = self.pool.time_limit;
        let late: Vec<u64> = self
            .workers
            .iter()
            .filter(|(_, member)| {
                let since = member.busy.as_ref().map(|busy| busy.since);
                since.is_some_and(|since| since.elapsed() > limit)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in late {
            let Some(mut member) = self.workers.remove(&id) else {
                continue;
            };
            member.worker.end(Duration::ZERO);
            let log = member.worker.log();
            if let Some(busy) = member.busy {
                let seconds = limit.as_secs_f64();
                self.settle(busy.task, TaskResult::TimedOut { seconds, log })?;
            }
        }
        Ok(())
    }

    fn settle(&mut self, index: TaskIndex, result: TaskResult) -> Result<(), PoolError> {
        let result = (self.done)(index, result)?;
        if self.is_second[index.0] && matches!(result, TaskResult::Finished { .. }) {
            self.observer.warn(&format!(
                "flaky: {}: finished when it was tried once more",
                self.tasks[index.0].name
            ));
        }
        self.observer.finished(&self.tasks[index.0], &result);
        self.results[index.0] = Some(result);
        Ok(())
    }

    fn progress(&self) -> Progress {
        let weights = || self.tasks.iter().map(|task| task.weight);
        let total: f64 = weights().sum();
        let settled: f64 = weights()
            .zip(&self.results)
            .filter(|(_, result)| result.is_some())
            .map(|(weight, _)| weight)
            .sum();
        let busy = || {
            self.workers
                .values()
                .filter_map(|member| member.busy.as_ref())
        };
        let in_progress: f64 = busy()
            .map(|busy| busy.share * self.tasks[busy.task.0].weight)
            .sum();
        let share = if total > 0.0 {
            (settled + in_progress) / total
        } else {
            1.0
        };
        let elapsed = self.begun.elapsed();
        Progress {
            done: self.results.iter().flatten().count(),
            total: self.tasks.len(),
            share,
            running: busy()
                .map(|busy| Running {
                    name: self.tasks[busy.task.0].name.clone(),
                    share: busy.share,
                    elapsed: busy.since.elapsed(),
                })
                .collect(),
            next: (0..self.tasks.len())
                .filter(|index| !self.started[*index] && self.results[*index].is_none())
                .map(|index| self.tasks[index].name.clone())
                .take(NEXT)
                .collect(),
            elapsed,
            left: Progress::estimate(elapsed, share),
        }
    }
}

/// What Rust's allocator says before it aborts.
fn out_of_memory(log: &str) -> Option<&str> {
    let mut lines = log.lines().rev().map(str::trim);
    lines.find(|line| line.starts_with("memory allocation of "))
}
