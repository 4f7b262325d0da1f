//! Who makes the next step.
//!
//! A schedule is replayed from the beginning each time: futures cannot be copied, and a store in memory is quick.

use futures::task::noop_waker;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A process: it does one step of the store for each poll. Dropped before its end, it was killed.
pub(crate) struct Process<'a, T> {
    future: Option<Pin<Box<dyn Future<Output = T> + 'a>>>,
    outcome: Option<T>,
}

impl<'a, T> Process<'a, T> {
    /// It stands before its first step.
    pub(crate) fn new(future: impl Future<Output = T> + 'a) -> Self {
        let mut process = Self { future: Some(Box::pin(future)), outcome: None };
        process.step();
        process
    }

    /// Does a step. False when there is none left to do.
    pub(crate) fn step(&mut self) -> bool {
        let Some(future) = &mut self.future else { return false };
        if let Poll::Ready(outcome) = future.as_mut().poll(&mut Context::from_waker(&noop_waker())) {
            self.outcome = Some(outcome);
            self.future = None;
        }
        true
    }

    /// Does as many steps, or fewer if there are no more; how many it did.
    pub(crate) fn steps(&mut self, count: usize) -> usize {
        (0..count).take_while(|_| self.step()).count()
    }

    /// To the end.
    pub(crate) fn finish(mut self) -> T {
        while self.step() {}
        self.outcome.unwrap()
    }
}

/// Runs a process alone.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    Process::new(future).finish()
}

/// One part of a schedule: this process does as many steps.
pub(crate) type Part = (usize, usize);

/// Does the parts; then all others run to their end one after the other, and last the one that was interrupted last.
/// Whether every step of the schedule was there to be done.
pub(crate) fn follow<T>(processes: &mut [Process<'_, T>], schedule: &[Part]) -> bool {
    let whole = schedule.iter().all(|(process, count)| processes[*process].steps(*count) == *count);
    let last = schedule.last().map_or(0, |(process, _)| *process);
    for turn in 1..=processes.len() {
        let process = (last + turn) % processes.len();
        while processes[process].step() {}
    }
    whole
}

/// Every schedule of so many processes with at most this many preemptions. `case` follows it and says whether it was
/// whole: a longer one would be the same again.
pub(crate) fn every_schedule(processes: usize, preemptions: usize, case: &mut dyn FnMut(&[Part]) -> bool) {
    extend(&mut Vec::new(), processes, preemptions, case);
}

fn extend(schedule: &mut Vec<Part>, processes: usize, preemptions: usize, case: &mut dyn FnMut(&[Part]) -> bool) {
    if preemptions == 0 {
        return;
    }
    let running = schedule.last().map(|(process, _)| *process);
    for process in (0..processes).filter(|process| running != Some(*process)) {
        for count in 1.. {
            schedule.push((process, count));
            let whole = case(schedule);
            if whole {
                extend(schedule, processes, preemptions - 1, case);
            }
            schedule.pop();
            if !whole {
                break;
            }
        }
    }
}
