//! The protocol checker: the code that publishes, rolls back and collects runs here over a store in memory, step by
//! step, in every order that matters, is killed after every step and meets every fault; a model of a reader says whether
//! anybody could ever have seen something else than one whole run.
//!
//! Each file of tests prints how many cases it has checked (`cargo test -- --nocapture`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "the number of cases is for the person who runs the tests")]

mod collection;
mod crashes;
mod faults;
mod in_place;
mod mutants;
mod publishers;
mod reader;
mod runs;
mod schedule;
mod store;
mod windows;
mod world;
