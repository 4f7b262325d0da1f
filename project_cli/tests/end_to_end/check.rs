//! `project check`: what a run would do, without reading a row.

mod columns;
mod drift;
mod hazards;
