//! Work that takes the processor and waits for nothing - reading, composing - is done beside the async threads.
//!
//! By one thread of its own: compiled patterns and the allocator keep megabytes of memory for every thread they were ever
//! used in, and two were no faster (the drain benchmark).

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// Cheap to clone; all clones share the thread, which ends with the last of them.
#[derive(Clone)]
pub struct Beside(Sender<Job>);

/// Work that was handed over.
pub struct Work<T>(oneshot::Receiver<thread::Result<T>>);

impl Beside {
    /// Starts the thread.
    pub fn new() -> Beside {
        let (sender, jobs): (Sender<Job>, Receiver<Job>) = channel();
        let thread = thread::Builder::new().name("beside".to_owned());
        thread.spawn(move || jobs.into_iter().for_each(|job| job())).expect("the system gives a thread");
        Beside(sender)
    }

    /// Hands work over; it is done in its turn, also when nobody waits for it.
    pub fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Work<T> {
        let (done, waiting) = oneshot::channel();
        let job = move || drop(done.send(catch_unwind(AssertUnwindSafe(work))));
        self.0.send(Box::new(job)).expect("the thread lives as long as this");
        Work(waiting)
    }
}

impl<T> Work<T> {
    /// What came of it. A panic in the work is one here.
    pub async fn done(self) -> T {
        let result = self.0.await.expect("every job that was handed over is done");
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_is_done_and_a_panic_is_told_where_it_is_waited_for() {
        let beside = Beside::new();
        let work: Vec<Work<usize>> = (0..50).map(|n| beside.run(move || n * n)).collect();
        let bad = beside.run(|| -> usize { panic!("on purpose") });
        for (n, work) in work.into_iter().enumerate() {
            assert_eq!(work.done().await, n * n);
        }
        let told = tokio::spawn(bad.done()).await.unwrap_err();
        assert!(told.is_panic());
        assert_eq!(beside.run(|| 7).done().await, 7, "and the thread goes on");
    }
}
