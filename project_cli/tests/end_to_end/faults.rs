//! A source that goes away in the middle: the run starts over, or it fails and nothing is published; a table is never short.

mod broken_way;
mod cancelling_replica;
mod gate;
mod long_tables;
mod restart;
mod silent_way;
