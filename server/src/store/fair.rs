//! What waits for the writer, and whose turn it is: start-time fair queueing (Goyal, Vin and Cheng, 1996). Whoever has taken
//! more of the writer's time waits behind whoever has taken less, so that no device's jobs, however many and however
//! heavy, put off another's by more than the one that is being done.
//!
//! A lane's clock stands where its last job ended, in time taken; the queue's own clock follows the lane that is served. A lane that
//! comes anew begins at the queue's clock: nobody saves up for later, and nobody pays for what was taken while nobody else waited.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aralau_sync_core::id::DeviceId;

/// Jobs that wait, at most; beyond, a job is handed back.
const MAX_WAITING: usize = 8_192;
/// The least that a job counts for, however quick: with this in common, jobs of no weight go round.
const LEAST: Duration = Duration::from_micros(10);

/// A job of a commit's length.
const LONG: Duration = Duration::from_millis(2);

/// Who takes the writer's time: a device, or (`None`) the server and headquarters together.
pub type Lane = Option<DeviceId>;

/// See the module.
pub struct Queue<T> {
    lanes: Mutex<Lanes<T>>,
    waiting: Condvar,
}

struct Lanes<T> {
    by: BTreeMap<Lane, Waiting<T>>,
    clock: Duration,
    count: usize,
    is_closed: bool,
}

struct Waiting<T> {
    jobs: VecDeque<T>,
    clock: Duration,
    /// What its last job took.
    last: Duration,
}

/// What came of waiting.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<T> {
    /// A job, and whose.
    Job(Lane, T),
    /// Nothing came for so long.
    Idle,
    /// Nothing waits, and nothing will come.
    Closed,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        let lanes = Lanes { by: BTreeMap::new(), clock: Duration::ZERO, count: 0, is_closed: false };
        Self { lanes: Mutex::new(lanes), waiting: Condvar::new() }
    }
}

impl<T> Queue<T> {
    /// Waits in its lane. The job comes back where too many wait already.
    pub fn push(&self, lane: Lane, job: T) -> Result<(), T> {
        let mut lanes = self.lock();
        if lanes.count >= MAX_WAITING || lanes.is_closed {
            return Err(job);
        }
        lanes.count += 1;
        let now = lanes.clock;
        let waiting =
            lanes.by.entry(lane).or_insert_with(|| Waiting { jobs: VecDeque::new(), clock: now, last: Duration::ZERO });
        if waiting.jobs.is_empty() {
            waiting.clock = waiting.clock.max(now);
        }
        waiting.jobs.push_back(job);
        drop(lanes);
        self.waiting.notify_one();
        Ok(())
    }

    /// The next job, waiting for one so long at most.
    pub fn next(&self, at_most: Duration) -> Next<T> {
        let is_idle = |lanes: &mut Lanes<T>| lanes.count == 0 && !lanes.is_closed;
        let waited = self.waiting.wait_timeout_while(self.lock(), at_most, is_idle);
        let (mut lanes, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match lanes.take() {
            Some((lane, job)) => Next::Job(lane, job),
            None if lanes.is_closed => Next::Closed,
            None => Next::Idle,
        }
    }

    /// The next job, if one waits now that may share a transaction with others: one of a lane whose last job was long has its
    /// own, or whoever shares it would wait for it twice.
    pub fn try_next(&self) -> Option<(Lane, T)> {
        let mut lanes = self.lock();
        lanes.first().filter(|(_, last)| *last < LONG)?;
        lanes.take()
    }

    /// A job of this lane's took so long.
    pub fn took(&self, lane: Lane, time: Duration) {
        if let Some(waiting) = self.lock().by.get_mut(&lane) {
            waiting.clock += time.max(LEAST);
            waiting.last = time;
        }
    }

    /// Takes no more jobs.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.waiting.notify_all();
    }

    /// Whether it takes no more jobs for good.
    pub fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    fn lock(&self) -> MutexGuard<'_, Lanes<T>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Lanes<T> {
    /// Whose turn it is, and what its last job took.
    fn first(&self) -> Option<(Lane, Duration)> {
        let waiting = self.by.iter().filter(|(_, waiting)| !waiting.jobs.is_empty());
        waiting.min_by_key(|(_, waiting)| waiting.clock).map(|(lane, waiting)| (*lane, waiting.last))
    }

    fn take(&mut self) -> Option<(Lane, T)> {
        let Some((lane, _)) = self.first() else {
            // Nobody waits: nobody owes anybody anything.
            self.by.clear();
            self.clock = Duration::ZERO;
            return None;
        };
        let waiting = self.by.get_mut(&lane)?;
        self.clock = waiting.clock;
        self.count -= 1;
        let job = waiting.jobs.pop_front();
        let now = self.clock;
        // Those that have nothing here and owe nothing are forgotten.
        self.by.retain(|other, waiting| *other == lane || !waiting.jobs.is_empty() || waiting.clock > now);
        job.map(|job| (lane, job))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn device(number: u8) -> Lane {
        Some(DeviceId::from_bytes([number; 16]))
    }

    fn served(queue: &Queue<u32>, cost: impl Fn(u32) -> Duration, most: usize) -> Vec<u32> {
        let one = || {
            let Next::Job(lane, job) = queue.next(Duration::ZERO) else { return None };
            queue.took(lane, cost(job));
            Some(job)
        };
        std::iter::from_fn(one).take(most).collect()
    }

    #[test]
    fn each_line_is_served_in_its_order_and_all_of_them_in_turn() {
        let queue = Queue::default();
        for job in [10, 11, 12] {
            queue.push(device(1), job).unwrap();
        }
        queue.push(device(2), 20).unwrap();
        queue.push(None, 30).unwrap();
        assert_eq!(served(&queue, |_| MS, 9), [30, 10, 20, 11, 12]);
    }

    #[test]
    fn whoever_takes_long_waits_behind_all_that_others_do_in_that_time() {
        let queue = Queue::default();
        (0..4).for_each(|job| queue.push(device(1), job).unwrap());
        let (lane, first) = queue.try_next().unwrap();
        assert_eq!((lane, first), (device(1), 0));
        (100..130).for_each(|job| queue.push(device(2), job).unwrap());
        queue.took(lane, MS * 20);
        assert_eq!(queue.try_next().unwrap().0, device(2));
        queue.took(device(2), MS);
        let order = served(&queue, |job| if job < 4 { MS * 20 } else { MS }, 25);
        assert_eq!(order[..19], (101..120).collect::<Vec<_>>());
        assert!(order[19..].contains(&1), "{order:?}");
    }

    #[test]
    fn who_comes_late_or_again_gets_nothing_for_the_time_before() {
        let queue = Queue::default();
        (0..40).for_each(|job| queue.push(device(1), job).unwrap());
        assert_eq!(served(&queue, |_| MS, 20).len(), 20);
        // Not twenty of these in a row.
        (100..120).for_each(|job| queue.push(device(2), job).unwrap());
        let order = served(&queue, |_| MS, 6);
        assert_eq!(order.iter().filter(|job| **job >= 100).count(), 3, "{order:?}");
    }

    #[test]
    fn whose_last_job_was_long_shares_no_transaction() {
        let queue = Queue::default();
        queue.push(device(1), 1).unwrap();
        queue.push(device(1), 2).unwrap();
        let (lane, _) = queue.try_next().unwrap();
        queue.took(lane, LONG);
        assert_eq!(queue.try_next(), None);
        assert_eq!(queue.next(MS), Next::Job(lane, 2));
    }

    #[test]
    fn when_nobody_waits_any_more_nothing_is_remembered() {
        let queue = Queue::default();
        queue.push(device(1), 1).unwrap();
        assert_eq!(served(&queue, |_| MS * 1000, 9), [1]);
        assert!(queue.lock().by.is_empty());
        queue.close();
        assert_eq!(queue.push(device(1), 2), Err(2));
        assert_eq!(queue.next(MS), Next::Closed);
    }

    #[test]
    fn too_many_are_handed_back() {
        let queue = Queue::default();
        (0..MAX_WAITING).for_each(|job| queue.push(device(1), job).unwrap());
        assert_eq!(queue.push(device(2), 7), Err(7));
    }
}
