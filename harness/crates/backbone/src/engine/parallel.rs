//! Numbered pieces of work on the threads of the pool, their results taken in order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Results that are done, and the number of the next one to take.
struct Queue<T, F> {
    done: BTreeMap<usize, T>,
    next: usize,
    take: F,
}

/// Calls `work` for `0 .. count` and `take` with each result in order.
///
/// Pieces start in order, so no more results wait than there are threads.
pub(crate) fn in_order<T: Send>(
    count: usize,
    work: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(usize, T) + Send,
) {
    let threads = rayon::current_num_threads().min(count);
    if threads <= 1 {
        (0..count).for_each(|i| take(i, work(i)));
        return;
    }
    let start = AtomicUsize::new(0);
    let queue = Mutex::new(Queue {
        done: BTreeMap::new(),
        next: 0,
        take,
    });
    rayon::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|_| {
                loop {
                    let i = start.fetch_add(1, Ordering::Relaxed);
                    if i >= count {
                        break;
                    }
                    let result = work(i);
                    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
                    let queue = &mut *queue;
                    queue.done.insert(i, result);
                    while let Some(result) = queue.done.remove(&queue.next) {
                        (queue.take)(queue.next, result);
                        queue.next += 1;
                    }
                }
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::in_order;

    #[test]
    fn results_are_taken_in_order_whatever_the_threads() {
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            let mut taken = Vec::new();
            pool.install(|| in_order(50, |i| i * i, |i, r| taken.push((i, r))));
            let expected: Vec<_> = (0..50).map(|i| (i, i * i)).collect();
            assert_eq!(taken, expected);
        }
    }
}
