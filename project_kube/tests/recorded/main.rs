//! The cases again, without a server: what a real one has said, and what can happen on the way to it.

#[path = "../cases/mod.rs"]
mod cases;
mod faults;
mod replay;
mod secure;
mod templates;
